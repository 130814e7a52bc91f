#include "sieve/site/sieve_scripts.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/store/scripts.h"

namespace postern::site {
namespace {

constexpr std::size_t kMostOctets = 4U << 20;  // of remembered texts; then all are forgotten
constexpr std::int64_t kRemembered = 1000;     // ms: a user's id and partition
constexpr std::size_t kMostUsers = 10'000;

sieve::RunError first_error(const sieve::Diagnostics& diagnostics) {
  for (const auto& one : diagnostics)
    if (one.severity == sieve::Severity::error) return {one.text, {}, one.at.line};
  return {"the script can't be compiled", {}, 0};
}

}  // namespace

SieveScripts::SieveScripts(const config::Config& config, sieve::Environment environment)
    : config_(config),
      environment_(std::move(environment)),
      default_path_(config.text("sieve.default_script")),
      global_directory_(config.text("sieve.global_directory")) {}

/// A user's id never changes while it exists, so metad is asked once a second.
Result<std::optional<meta::UserRecord>> SieveScripts::record_of(meta::Meta& meta,
                                                                const meta::UserName& user) {
  if (users_.size() > kMostUsers) users_.clear();
  Known& known = users_[user.text()];
  if (known.until > steady_millis()) return known.record;
  auto record = meta.user(user, false);
  if (!record && record.error().code != Errc::no_such_user) return Error(record.error());
  known.record = record ? std::optional(std::move(*record)) : std::nullopt;
  known.until = steady_millis() + kRemembered;
  return known.record;
}

const SieveScripts::Compiled& SieveScripts::compiled(std::string text) {
  if (const auto at = compiled_.find(text); at != compiled_.end()) return at->second;
  if (octets_ + text.size() > kMostOctets) {
    compiled_.clear();
    octets_ = 0;
  }
  octets_ += text.size();
  sieve::Diagnostics diagnostics;
  Compiled fresh;
  fresh.script = sieve::compile(text, environment_, diagnostics);
  if (!fresh.script) fresh.error = first_error(diagnostics);
  return compiled_.emplace(std::move(text), std::move(fresh)).first->second;
}

SieveScripts::Chosen SieveScripts::chosen(std::string name, std::string text) {
  const Compiled& known = compiled(std::move(text));
  return {std::move(name), known.script, known.error};
}

Result<SieveScripts::Chosen> SieveScripts::script_of(meta::Meta& meta, const meta::UserName& user) {
  if (const auto record = TRY(record_of(meta, user))) {
    const auto scripts = store::Scripts::of(config_, *record);
    if (auto active = TRY(scripts.active_script()))
      return chosen(std::move(active->name), std::move(active->text));
  }
  if (default_path_.empty()) return Chosen{};
  return chosen(default_path_, TRY(read_file(default_path_)));
}

Result<SieveScripts::Chosen> SieveScripts::script_named(meta::Meta& meta,
                                                        const meta::UserName& user,
                                                        std::string_view name) {
  auto text = TRY(text_of(meta, user, sieve::Location::personal, name));
  if (!text) return fail(Errc::no_such_object, "{} has no script \"{}\"", user.text(), name);
  return chosen(std::string(name), std::move(*text));
}

Result<SieveScripts::Chosen> SieveScripts::script_at(const std::string& path) {
  return chosen(path, TRY(read_file(path)));
}

Result<std::optional<std::string>> SieveScripts::text_of(meta::Meta& meta,
                                                         const meta::UserName& user,
                                                         sieve::Location location,
                                                         std::string_view name) {
  using Text = std::optional<std::string>;
  if (!store::Scripts::check_name(name)) return Text();
  if (location == sieve::Location::personal) {
    const auto record = TRY(record_of(meta, user));
    if (!record) return Text();
    auto text = store::Scripts::of(config_, *record).get(name);
    if (!text && text.error().code == Errc::no_such_object) return Text();
    if (!text) return Error(text.error());
    return Text(std::move(*text));
  }
  // A name is one file of the folder, never a path.
  if (global_directory_.empty() || name.find('/') != std::string_view::npos) return Text();
  const std::string path = global_directory_ + '/' + std::string(name) + ".sieve";
  if (::access(path.c_str(), F_OK) != 0) return Text();
  return Text(TRY(read_file(path)));
}

}  // namespace postern::site
