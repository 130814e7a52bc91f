#include "lib/meta/name.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/charset.h"

namespace postern::meta {
namespace {

constexpr std::size_t kMostUserOctets = 255;
constexpr std::size_t kMostNameOctets = 1000;
constexpr std::ptrdiff_t kMostLevels = 50;
constexpr std::string_view kUserTree = "user/";
constexpr char kLevelKey = '\x01';  // sorts before everything that a name may hold

/// NFC is the identity on ASCII: most names never reach ICU.
Result<std::string> normalized(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  if (!is_utf8(text)) return fail(Errc::bad_syntax, "a name that is not UTF-8");
  return mime::to_nfc(text);
}

bool good_local_part(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.front() == '-') return false;
  if (local == "anyone" || local == "anonymous") return false;
  return local.find_first_of("/%*@+ ") == std::string_view::npos && !has_controls(local);
}

bool good_domain(std::string_view domain) {
  if (domain.empty() || domain.front() == '.' || domain.back() == '.') return false;
  return std::ranges::all_of(domain, [](char c) {
    return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' || c == '_' || c < 0;
  });
}

bool good_path(std::string_view path) {
  if (path.empty() || path.size() > kMostNameOctets) return false;
  if (path.front() == '/' || path.back() == '/') return false;
  if (path.find("//") != std::string_view::npos) return false;
  if (path.find_first_of("%*") != std::string_view::npos || has_controls(path)) return false;
  return std::ranges::count(path, '/') < kMostLevels;
}

/// "user/Anna/Sent" with the user's name in its canonical form.
Result<std::string> canonical_path(std::string_view path) {
  if (!path.starts_with(kUserTree)) return std::string(path);
  const auto end = path.find('/', kUserTree.size());
  std::string local = to_lower(path.substr(kUserTree.size(), end - kUserTree.size()));
  if (!good_local_part(local)) return fail(Errc::bad_syntax, "\"{}\" is no user name", local);
  if (end != std::string_view::npos) local += path.substr(end);
  return std::string(kUserTree) + local;
}

}  // namespace

Result<UserName> UserName::from_utf8(std::string_view text) {
  UserName name;
  name.text_ = to_lower(TRY(normalized(text)));
  if (name.text_.size() > kMostUserOctets) return fail(Errc::bad_syntax, "a user name too long");
  const bool has_domain = name.text_.find('@') != std::string::npos;
  if (!good_local_part(name.local()) || (has_domain && !good_domain(name.domain())))
    return fail(Errc::bad_syntax, "\"{}\" is no user name", name.text_);
  return name;
}

std::string_view UserName::local() const {
  return std::string_view(text_).substr(0, text_.find('@'));
}

std::string_view UserName::domain() const {
  const auto at = text_.find('@');
  return at == std::string::npos ? std::string_view() : std::string_view(text_).substr(at + 1);
}

Result<MailboxName> MailboxName::from_utf8(std::string_view text) {
  const std::string whole = TRY(normalized(text));
  std::string_view path = whole;
  MailboxName name;
  const auto at = path.rfind('@');
  if (at != std::string_view::npos && path.find('/', at) == std::string_view::npos) {
    name.domain_ = to_lower(path.substr(at + 1));
    path = path.substr(0, at);
    if (!name.domain_.empty() && !good_domain(name.domain_))
      return fail(Errc::bad_syntax, "\"{}\" is no domain", name.domain_);
  }
  name.path_ = TRY(canonical_path(path));
  if (!good_path(name.path_)) return fail(Errc::bad_syntax, "\"{}\" is no mailbox name", whole);
  return name;
}

MailboxName MailboxName::inbox_of(const UserName& user) {
  MailboxName name;
  name.domain_ = user.domain();
  name.path_ = std::string(kUserTree) + std::string(user.local());
  return name;
}

Result<MailboxName> MailboxName::child(std::string_view level) const {
  MailboxName name = *this;
  if (!name.path_.empty()) name.path_ += '/';
  name.path_ += TRY(normalized(level));
  if (level.empty() || !good_path(name.path_))
    return fail(Errc::bad_syntax, "\"{}\" is no mailbox name", name.path_);
  name.path_ = TRY(canonical_path(name.path_));
  return name;
}

std::string MailboxName::text() const {
  if (!domain_.empty()) return path_ + '@' + domain_;
  const auto at = path_.rfind('@');
  const bool like_domain = at != std::string::npos && path_.find('/', at) == std::string::npos;
  return like_domain ? path_ + '@' : path_;
}

UserName MailboxName::owner() const {
  if (!path_.starts_with(kUserTree)) return {};
  const auto end = path_.find('/', kUserTree.size());
  std::string user = path_.substr(kUserTree.size(), end - kUserTree.size());
  if (!domain_.empty()) user += '@' + domain_;
  auto name = UserName::from_utf8(user);
  return name ? *name : UserName();
}

bool MailboxName::is_owned_by(const UserName& user) const {
  const std::string_view local = user.local();
  if (user.empty() || !path_.starts_with(kUserTree) || domain_ != user.domain()) return false;
  const auto level = std::string_view(path_).substr(kUserTree.size());
  return level.starts_with(local) && (level.size() == local.size() || level[local.size()] == '/');
}

bool MailboxName::is_inbox() const {
  return path_.starts_with(kUserTree) && path_.find('/', kUserTree.size()) == std::string::npos;
}

bool MailboxName::is_within(const MailboxName& root) const {
  if (domain_ != root.domain_) return false;
  if (root.path_.empty() || path_ == root.path_) return true;
  return path_.size() > root.path_.size() && path_.starts_with(root.path_) &&
         path_[root.path_.size()] == '/';
}

MailboxName MailboxName::parent() const {
  MailboxName above;
  above.domain_ = domain_;
  const auto slash = path_.rfind('/');
  if (slash != std::string::npos) above.path_ = path_.substr(0, slash);
  return above;
}

std::string MailboxName::key() const {
  std::string key;
  key.reserve(domain_.size() + 1 + path_.size());
  key = domain_;
  key += '\0';
  key += path_;
  std::replace(key.begin() + static_cast<std::ptrdiff_t>(domain_.size()), key.end(), '/',
               kLevelKey);
  return key;
}

Result<MailboxName> MailboxName::from_key(std::string_view key) {
  const auto nul = key.find('\0');
  if (nul == std::string_view::npos || nul + 1 == key.size())
    return fail(Errc::corrupt, "a mailbox key without a path");
  MailboxName name;
  name.domain_ = key.substr(0, nul);
  name.path_ = key.substr(nul + 1);
  std::ranges::replace(name.path_, kLevelKey, '/');
  return name;
}

}  // namespace postern::meta
