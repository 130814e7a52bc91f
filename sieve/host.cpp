// The answers of a world that has nothing; hosts override what they have.
#include "sieve/host.h"

namespace postern::sieve {

static const ScoreSource kNoFilter;

int Host::zone_minutes(std::int64_t) { return 0; }
Result<bool> Host::mailbox_exists(std::string_view) { return false; }
Result<bool> Host::mailbox_id_exists(std::string_view) { return false; }
Result<bool> Host::special_use_exists(std::string_view, std::string_view) { return false; }
Result<std::optional<std::string>> Host::metadata(std::string_view, std::string_view) {
  return std::optional<std::string>();
}
Result<std::optional<std::string>> Host::script(Location, std::string_view) {
  return std::optional<std::string>();
}
Result<bool> Host::duplicate_seen(std::string_view, std::string_view) { return false; }
Result<bool> Host::vacation_answered(std::string_view, std::string_view, std::int64_t) {
  return false;
}
std::vector<std::string> Host::own_addresses() { return {}; }
bool Host::can_notify(std::string_view) { return true; }
bool Host::list_known(std::string_view) { return false; }
Result<bool> Host::list_contains(std::string_view, std::string_view) { return false; }
Result<std::vector<std::string>> Host::list_addresses(std::string_view) {
  return std::vector<std::string>();
}
std::optional<std::string> Host::environment(std::string_view) { return std::nullopt; }
const ScoreSource& Host::spam_source() { return kNoFilter; }
const ScoreSource& Host::virus_source() { return kNoFilter; }
std::string_view Host::detail_separators() { return "+"; }
bool Host::tracing() { return false; }
void Host::trace(std::uint32_t, std::string_view) {}

}  // namespace postern::sieve
