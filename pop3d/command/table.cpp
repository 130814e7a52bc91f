#include "pop3d/command/table.h"

#include <algorithm>
#include <array>

namespace postern::pop3d {
namespace {

constexpr std::array kCommands{
    Command{"APOP", In::authorization, run_apop}, Command{"AUTH", In::authorization, run_auth},
    Command{"CAPA", In::any, run_capa},           Command{"DELE", In::transaction, run_dele},
    Command{"LANG", In::any, run_lang},           Command{"LIST", In::transaction, run_list},
    Command{"NOOP", In::transaction, run_noop},   Command{"PASS", In::authorization, run_pass},
    Command{"QUIT", In::any, run_quit},           Command{"RETR", In::transaction, run_retr},
    Command{"RSET", In::transaction, run_rset},   Command{"STAT", In::transaction, run_stat},
    Command{"STLS", In::authorization, run_stls}, Command{"TOP", In::transaction, run_top},
    Command{"UIDL", In::transaction, run_uidl},   Command{"USER", In::authorization, run_user},
    Command{"UTF8", In::authorization, run_utf8},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

}  // namespace

const Command* find_command(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return at != kCommands.end() && at->name == name ? &*at : nullptr;
}

}  // namespace postern::pop3d
