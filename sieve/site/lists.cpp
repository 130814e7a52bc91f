#include "sieve/site/lists.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/store/scripts.h"

namespace postern::site {
namespace {

constexpr std::size_t kMostOctets = 4U << 20;  // of one list
constexpr std::size_t kMostFiles = 1000;       // remembered; then all are forgotten

/// RFC 6134 §2.6: ":" is short for "urn:ietf:params:sieve:".
bool is_address_book(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames{":addrbook:default", ":addrbook:personal",
                                                   "urn:ietf:params:sieve:addrbook:default",
                                                   "urn:ietf:params:sieve:addrbook:personal"};
  return std::ranges::any_of(kNames, [&](std::string_view one) { return iequals(one, name); });
}

std::string with_user(std::string pattern, const meta::UserName& user) {
  constexpr std::string_view kPlace = "{user}";
  for (auto at = pattern.find(kPlace); at != std::string::npos;
       at = pattern.find(kPlace, at + user.text().size()))
    pattern.replace(at, kPlace.size(), user.text());
  return pattern;
}

}  // namespace

List::List(std::string_view text) {
  for (const auto line : split(text, '\n')) {
    auto entry = trim(line.substr(0, line.find('#')));
    if (entry.ends_with('\r')) entry = trim(entry.substr(0, entry.size() - 1));
    if (entry.empty()) continue;
    entries_.emplace_back(entry);
    folded_.insert(to_lower(entry));
  }
}

bool List::contains(std::string_view value) const {
  const std::string folded = to_lower(value);
  if (folded_.contains(folded)) return true;
  const auto at = folded.rfind('@');
  return at != std::string::npos && folded_.contains(folded.substr(at));
}

std::vector<std::string> List::addresses() const {
  std::vector<std::string> out;
  for (const auto& entry : entries_)
    if (const auto at = entry.find('@'); at != std::string::npos && at > 0) out.push_back(entry);
  return out;
}

Result<std::string> address_book_of(const config::Config& config, const Settings& settings,
                                    meta::Meta& meta, const meta::UserName& user) {
  if (!settings.address_book.empty()) return with_user(settings.address_book, user);
  return store::Scripts::of(config, TRY(meta.user(user, false))).address_book();
}

bool SieveLists::known(std::string_view name) const {
  return is_address_book(name) || settings_.lists.find(name) != settings_.lists.end();
}

Result<std::string> SieveLists::path_of(meta::Meta& meta, const meta::UserName& user,
                                        std::string_view name) const {
  if (const auto at = settings_.lists.find(name); at != settings_.lists.end()) return at->second;
  if (is_address_book(name)) return address_book_of(config_, settings_, meta, user);
  return fail(Errc::no_such_object, "no list is called \"{}\"", name);
}

Result<std::shared_ptr<const List>> SieveLists::read(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return std::make_shared<const List>("");
    return errno_error("stat", path);
  }
  if (files_.size() >= kMostFiles) files_.clear();
  Known& known = files_[path];
  const std::int64_t changed =
      std::int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
  if (!known.list || known.changed != changed || known.octets != file.st_size ||
      known.inode != file.st_ino) {
    known.list = std::make_shared<const List>(TRY(read_file(path, kMostOctets)));
    known.changed = changed;
    known.octets = file.st_size;
    known.inode = file.st_ino;
  }
  return known.list;
}

Result<std::shared_ptr<const List>> SieveLists::list(meta::Meta& meta, const meta::UserName& user,
                                                     std::string_view name) {
  return read(TRY(path_of(meta, user, name)));
}

}  // namespace postern::site
