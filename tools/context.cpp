#include "tools/context.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "lib/meta/open.h"
#include "lib/net/endpoint.h"
#include "lib/net/fd_passing.h"

namespace postern::tools {
namespace {

constexpr std::chrono::seconds kMasterLimit(5);
constexpr std::size_t kLongestAnswer = 4096;

/// Nothing to do for anybody but root, or where no such user exists (a private instance).
Result<void> become(const std::string& user) {
  if (::geteuid() != 0 || user.empty()) return {};
  const passwd* entry = ::getpwnam(user.c_str());
  if (!entry || entry->pw_uid == 0) return {};
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 || ::setgid(entry->pw_gid) != 0 ||
      ::setuid(entry->pw_uid) != 0)
    return errno_error("become user", user);
  return {};
}

std::string control_path(const config::Config& config) {
  return config.text("server.runtime_directory") + "/control";
}

Result<std::vector<meta::MailboxEntry>> all_within(meta::Meta& meta, const std::string& root) {
  meta::ListScope scope;
  scope.who.admin = true;
  if (!root.empty()) scope.roots.push_back(TRY(meta::MailboxName::from_utf8(root)));
  std::vector<meta::MailboxEntry> out;
  for (auto& listed : TRY(meta.list(scope))) out.push_back(std::move(listed.entry));
  return out;
}

}  // namespace

Context::Context(std::string config_path, std::vector<std::string> settings, std::string command)
    : config_path_(std::move(config_path)),
      settings_(std::move(settings)),
      command_(std::move(command)) {}

Context::~Context() = default;

Result<void> Context::prepare() {
  auto config = TRY(config::Config::load(config_path_));
  for (const auto& setting : settings_) TRY(config.set(setting));
  // Changes belong into the server's log; on a terminal only what went wrong is shown.
  const bool syslog = config.text("log.target") == "syslog";
  log::open("postern", syslog ? "syslog" : "stderr",
            syslog ? log::Level::notice : log::Level::warning);
  // master's socket is for whoever started it: asked for before we become somebody else.
  const auto control = net::Endpoint::parse("unix:" + control_path(config));
  if (control) {
    auto socket = net::connect_to(*control, kMasterLimit, true);
    if (socket) master_ = std::move(*socket);
  }
  TRY(become(config.text("server.user")));
  config_ = std::make_unique<config::Config>(std::move(config));
  return {};
}

Result<meta::Meta*> Context::meta() {
  if (!meta_) meta_ = TRY(meta::open_meta(*config_, command_));
  return meta_.get();
}

Result<store::Store*> Context::store() {
  meta::Meta* const meta = TRY(this->meta());
  if (!store_) {
    board_ = std::make_unique<ChangeBoard>(change_board());
    store_ = TRY(store::Store::open(*config_, *meta, *board_));
  }
  return store_.get();
}

/// That of a running server, so that its sessions hear of what we change.
ChangeBoard Context::change_board() {
  if (auto answer = ask_master("board"); answer && answer->descriptors.size() == 2) {
    auto board =
        ChangeBoard::attach(std::move(answer->descriptors[0]), std::move(answer->descriptors[1]));
    if (board) return std::move(*board);
  }
  return ChangeBoard::private_board();
}

Result<Context::Answer> Context::ask_master(std::string_view request) {
  if (!master_)
    return fail(Errc::unavailable, "no server answers at {}: is it running, and may you ask it?",
                control_path(*config_));
  TRY(net::send_message(master_.get(), request));
  auto message = TRY(net::receive_message(master_.get(), kLongestAnswer));
  return Answer{std::move(message.bytes), std::move(message.descriptors)};
}

Result<std::vector<meta::MailboxEntry>> find_mailboxes(meta::Meta& meta,
                                                       const std::vector<std::string>& names,
                                                       bool recursive) {
  if (names.empty()) return all_within(meta, "");
  std::vector<meta::MailboxEntry> out;
  for (const auto& name : names) {
    if (!recursive) {
      out.push_back(TRY(meta.lookup(TRY(meta::MailboxName::from_utf8(name)))));
      continue;
    }
    auto found = TRY(all_within(meta, name));
    if (found.empty()) return fail(Errc::no_such_mailbox, "no mailbox at or below {}", name);
    std::move(found.begin(), found.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace postern::tools
