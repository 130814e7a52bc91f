#include "lib/auth/passwords.h"

#include <db.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "lib/auth/sasl.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"

namespace postern::auth {
namespace {

constexpr std::int64_t kLockPatience = 10'000;  // ms

/// Only one writer at a time, in all processes.
Result<Fd> lock_database(const std::string& database) {
  const std::string path = database + ".lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open", path);
  const std::int64_t deadline = steady_millis() + kLockPatience;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  while (::fcntl(fd.get(), F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES && errno != EINTR) return errno_error("lock", path);
    if (steady_millis() > deadline) return fail(Errc::in_use, "{}: another writer is busy", path);
    ::usleep(20'000);
  }
  return fd;
}

/// The database's owner and mode go over to the copy that takes its place.
void keep_owner(const std::string& from, const std::string& to) {
  struct stat st {};
  if (::stat(from.c_str(), &st) != 0) return;
  [[maybe_unused]] const int ignored = ::chown(to.c_str(), st.st_uid, st.st_gid);
  ::chmod(to.c_str(), st.st_mode & 07777);
}

Result<void> sync_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  if (::fsync(fd.get()) != 0) return errno_error("fsync", path);
  return {};
}

/// Calls `change` with a SASL connection on a copy of the database, then puts the copy in place.
template <typename Change>
Result<void> change_database(const config::Config& config, Change change) {
  TRY(load_sasl());
  auto settings = TRY(Authenticator::Settings::from(config));
  const std::string database = settings.sasldb;
  const Fd lock = TRY(lock_database(database));
  const std::string copy = database + ".new";
  if (::unlink(copy.c_str()) != 0 && errno != ENOENT) return errno_error("unlink", copy);
  if (::access(database.c_str(), F_OK) == 0) {
    const std::string octets = TRY(read_file(database, 1ULL << 32));
    const Fd fd(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return errno_error("open", copy);
    TRY(write_all(fd.get(), octets));
  }
  settings.sasldb = copy;
  {
    const SaslConnection sasl(settings, {}, true);
    if (sasl.get() == nullptr) return sasl.error();
    TRY(change(sasl.get()));
  }
  keep_owner(database, copy);
  TRY(sync_file(copy));
  if (::rename(copy.c_str(), database.c_str()) != 0) return errno_error("rename", database);
  return {};
}

struct CloseDatabase {
  void operator()(DB* db) const { db->close(db, 0); }
};
using Database = std::unique_ptr<DB, CloseDatabase>;

Error database_error(const std::string& path, int code) {
  return fail(code == ENOENT || code == EACCES ? Errc::io : Errc::corrupt, "{}: {}", path,
              db_strerror(code));
}

Result<Database> open_database(const std::string& path) {
  DB* raw = nullptr;
  if (const int code = db_create(&raw, nullptr, 0); code != 0) return database_error(path, code);
  Database db(raw);
  db->set_errfile(db.get(), nullptr);
  if (const int code = db->open(db.get(), nullptr, path.c_str(), nullptr, DB_UNKNOWN, DB_RDONLY, 0);
      code != 0)
    return database_error(path, code);
  return db;
}

/// A key is user NUL realm NUL property; a name without a domain has our realm.
Result<meta::UserName> user_of_key(std::string_view key, std::string_view realm) {
  const auto first = key.find('\0');
  if (first == std::string_view::npos) return fail(Errc::corrupt, "key without a realm");
  std::string name(key.substr(0, first));
  const auto domain = key.substr(first + 1, key.find('\0', first + 1) - first - 1);
  if (domain != realm) name.append("@").append(domain);
  return meta::UserName::from_utf8(name);
}

}  // namespace

Result<void> set_password(const config::Config& config, const meta::UserName& user,
                          const Secret& password) {
  return change_database(config, [&](sasl_conn_t* sasl) -> Result<void> {
    const std::string_view octets = password.reveal();
    const int code =
        sasl_setpass(sasl, user.text().c_str(), octets.data(), static_cast<unsigned>(octets.size()),
                     nullptr, 0, SASL_SET_CREATE);
    if (code == SASL_OK) return {};
    return fail(Errc::io, "sasl_setpass: {}", sasl_errdetail(sasl));
  });
}

Result<void> erase_password(const config::Config& config, const meta::UserName& user) {
  const auto users = TRY(list_passwords(config));
  if (std::ranges::find(users, user) == users.end())
    return fail(Errc::no_such_user, "{} has no password", user.text());
  return change_database(config, [&](sasl_conn_t* sasl) -> Result<void> {
    const int code =
        sasl_setpass(sasl, user.text().c_str(), nullptr, 0, nullptr, 0, SASL_SET_DISABLE);
    if (code == SASL_OK) return {};
    return fail(Errc::io, "sasl_setpass: {}", sasl_errdetail(sasl));
  });
}

Result<std::vector<meta::UserName>> list_passwords(const config::Config& config) {
  const std::string path = config.text("auth.sasldb");
  const std::string realm = config.text("auth.realm");
  std::vector<meta::UserName> out;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return out;
  const Database db = TRY(open_database(path));
  DBC* cursor = nullptr;
  if (const int code = db->cursor(db.get(), nullptr, &cursor, 0); code != 0)
    return database_error(path, code);
  DBT key{};
  DBT value{};
  int code = 0;
  while ((code = cursor->get(cursor, &key, &value, DB_NEXT)) == 0)
    if (auto user = user_of_key({static_cast<const char*>(key.data), key.size}, realm))
      out.push_back(std::move(*user));
  cursor->close(cursor);
  if (code != DB_NOTFOUND) return database_error(path, code);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace postern::auth
