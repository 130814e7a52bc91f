#include "lib/store/scripts.h"

#include <fcntl.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/store/format.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

constexpr std::size_t kMaxName = 512;  // octets: what RFC 5804 §1.6 says 128 characters may take
constexpr std::size_t kMaxStem = 200;  // octets; a file's name may have 255
constexpr std::string_view kEnding = ".sieve";
constexpr std::string_view kDigest = "%~";  // no octet in hex, so no escaped name begins with it

bool is_plain(char c) { return c != '/' && c != '%' && c != '.'; }

/// "a/b" as "a%2fb": one file name for each script name, never a path. Of a name that is too long
/// for one, its digest; the name itself is in a file that is called so.
std::string stem_of(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_plain(c))
      out += c;
    else
      out += "%" + to_hex({&c, 1});
  }
  if (out.size() <= kMaxStem) return out;
  return std::string(kDigest) + guid_of(name).hex();
}

std::optional<std::string> name_of_stem(std::string_view file) {
  std::string out;
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (file[i] != '%') {
      out += file[i];
      continue;
    }
    const auto octet = from_hex(file.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    out += *octet;
    i += 2;
  }
  return out;
}

// The partition is there; "u" and what is below may not be.
Result<void> make_below_u(const std::string& directory) {
  for (auto slash = directory.find("/u/") + 2; slash != std::string::npos;
       slash = directory.find('/', slash + 1)) {
    if (const auto made = fs().make_directory(directory.substr(0, slash));
        !made && made.error().code != Errc::conflict)
      return made.error();
  }
  const auto made = fs().make_directory(directory);
  if (!made && made.error().code != Errc::conflict) return made.error();
  return {};
}

std::uint64_t size_of(const std::string& path) {
  const auto fd = fs().open(path, O_RDONLY);
  if (!fd) return 0;
  return fs().size_of(fd->get()).value_or(0);
}

}  // namespace

ScriptLimits ScriptLimits::from(const config::Config& config) {
  return {.script_octets = config.size("sieve.max_script_size"),
          .scripts = static_cast<std::uint32_t>(config.integer("sieve.max_scripts")),
          .total_octets = config.size("sieve.max_storage")};
}

std::string user_directory(const config::Config& config, const meta::UserRecord& user) {
  const std::string id = user.id.hex();
  const std::string partition = user.partition.empty() ? "default" : user.partition;
  const std::string root = config.text("partition." + partition + ".path");
  return root + "/u/" + id.substr(0, 2) + "/" + id;
}

Result<std::string> make_user_directory(const config::Config& config,
                                        const meta::UserRecord& user) {
  std::string directory = user_directory(config, user);
  TRY(make_below_u(directory));
  return directory;
}

Scripts Scripts::of(const config::Config& config, const meta::UserRecord& user) {
  return {user_directory(config, user) + "/sieve", ScriptLimits::from(config)};
}

Result<void> Scripts::check_name(std::string_view name) {
  if (name.empty() || !is_utf8(name)) return fail(Errc::bad_syntax, "not a script name");
  if (has_controls(name)) return fail(Errc::bad_syntax, "control character in a script name");
  if (name.size() > kMaxName)
    return fail(Errc::bad_syntax, "script name of {} octets", name.size());
  return {};
}

std::string Scripts::path_of(std::string_view name) const {
  return directory_ + "/" + stem_of(name).append(kEnding);
}

Result<void> Scripts::note_name(std::string_view name) const {
  const std::string stem = stem_of(name);
  if (!stem.starts_with(kDigest)) return {};
  return replace_durably(directory_ + "/" + stem, name);
}

void Scripts::forget_name(std::string_view name) const {
  const std::string stem = stem_of(name);
  if (stem.starts_with(kDigest)) static_cast<void>(fs().unlink(directory_ + "/" + stem));
}

std::optional<std::string> Scripts::name_of_file(std::string_view file) const {
  if (!file.ends_with(kEnding)) return std::nullopt;
  file.remove_suffix(kEnding.size());
  if (!file.starts_with(kDigest)) return name_of_stem(file);
  const auto name = read_whole(directory_ + "/" + std::string(file));
  return name ? std::optional(*name) : std::nullopt;
}

bool Scripts::exists(std::string_view name) const {
  return static_cast<bool>(fs().open(path_of(name), O_RDONLY));
}

Result<std::vector<ScriptInfo>> Scripts::list() const {
  std::vector<ScriptInfo> out;
  const auto files = fs().list(directory_);
  if (!files && files.error().code == Errc::no_such_object) return out;
  if (!files) return files.error();
  const auto current = TRY(active());
  for (const std::string& file : *files)
    if (const auto name = name_of_file(file))
      out.push_back({*name, size_of(directory_ + "/" + file), current == *name});
  std::ranges::sort(out, {}, &ScriptInfo::name);
  return out;
}

Result<std::string> Scripts::get(std::string_view name) const {
  TRY(check_name(name));
  return read_whole(path_of(name));
}

Result<void> Scripts::have_space(std::string_view name, std::uint64_t size) const {
  TRY(check_name(name));
  if (size > limits_.script_octets)
    return fail(Errc::too_big, "script of {} octets, limit {}", size, limits_.script_octets);
  std::uint64_t total = size;
  std::uint32_t others = 0;
  for (const ScriptInfo& script : TRY(list())) {
    if (script.name == name) continue;
    ++others;
    total += script.size;
  }
  if (others + 1 > limits_.scripts) return fail(Errc::limit, "over {} scripts", limits_.scripts);
  if (total > limits_.total_octets)
    return fail(Errc::over_quota, "scripts of {} octets, limit {}", total, limits_.total_octets);
  return {};
}

Result<void> Scripts::make_directories() const { return make_below_u(directory_); }

Result<void> Scripts::sync_directory() const {
  const Fd fd = TRY(fs().open(directory_, O_RDONLY | O_DIRECTORY));
  return fs().sync(fd.get());
}

Result<void> Scripts::put(std::string_view name, std::string_view text) {
  TRY(have_space(name, text.size()));
  TRY(make_directories());
  TRY(note_name(name));
  TRY(replace_durably(path_of(name), text));
  return sync_directory();
}

Result<void> Scripts::put_address_book(std::string_view text) {
  if (text.size() > limits_.total_octets)
    return fail(Errc::over_quota, "address book of {} octets, limit {}", text.size(),
                limits_.total_octets);
  TRY(make_directories());
  TRY(replace_durably(address_book(), text));
  return sync_directory();
}

Result<void> Scripts::remove(std::string_view name) {
  TRY(check_name(name));
  if (TRY(active()) == name) return fail(Errc::in_use, "script {} is active", name);
  TRY(fs().unlink(path_of(name)));
  forget_name(name);
  return sync_directory();
}

// Link, activate, unlink: a crash between leaves two names or one, never an active script that
// isn't there.
Result<void> Scripts::rename(std::string_view from, std::string_view to) {
  TRY(check_name(from));
  TRY(check_name(to));
  const bool was_active = TRY(active()) == from;
  if (!exists(from)) return fail(Errc::no_such_object, "no script {}", from);
  TRY(note_name(to));
  TRY(fs().link(path_of(from), path_of(to)));
  if (was_active) TRY(activate(to));
  TRY(fs().unlink(path_of(from)));
  forget_name(from);
  return sync_directory();
}

Result<void> Scripts::activate(std::string_view name) {
  if (!name.empty()) {
    TRY(check_name(name));
    if (!exists(name)) return fail(Errc::no_such_object, "no script {}", name);
  }
  TRY(make_directories());
  TRY(replace_durably(directory_ + "/active", name));
  return sync_directory();
}

/// "" if there is none. A file of this name may be gone.
Result<std::string> Scripts::active_name() const {
  auto name = read_whole(directory_ + "/active");
  if (!name && name.error().code == Errc::no_such_object) return std::string();
  return name;
}

Result<std::optional<std::string>> Scripts::active() const {
  auto name = TRY(active_name());
  if (name.empty() || !exists(name)) return std::optional<std::string>{};
  return std::optional<std::string>(std::move(name));
}

Result<std::optional<Scripts::Named>> Scripts::active_script() const {
  auto name = TRY(active_name());
  if (name.empty()) return std::optional<Named>{};
  auto text = get(name);
  if (!text && text.error().code == Errc::no_such_object) return std::optional<Named>{};
  if (!text) return text.error();
  return std::optional(Named{std::move(name), std::move(*text)});
}

}  // namespace postern::store
