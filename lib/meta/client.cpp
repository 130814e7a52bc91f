#include "lib/meta/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/log/log.h"

namespace postern::meta {
namespace {

using wire::Op;

constexpr std::size_t kLookUpNames = 2000;
constexpr std::size_t kReadOctets = 64U << 10;

/// A failure of the connection, as against an answer of metad's.
bool is_lost(Errc code) { return code == Errc::closed || code == Errc::io; }

std::string random_instance() {
  std::string out(wire::kInstanceSize, '\0');
  random_bytes(out.data(), out.size());
  return out;
}

std::uint64_t sequence_of(std::string_view framed) {
  std::uint64_t sequence = 0;
  std::memcpy(&sequence, framed.data() + wire::kFrameHead + 2, sizeof sequence);
  return sequence;
}

/// The same request with kRepeated, framed anew.
std::string repeated(const std::string& framed) {
  std::string payload = framed.substr(wire::kFrameHead);
  payload[1] = static_cast<char>(payload[1] | wire::kRepeated);
  return wire::frame(payload);
}

std::int64_t pause_after(int attempt) { return attempt < 5 ? 2 << attempt : 50; }

}  // namespace

Client::Client(std::string socket_path, std::chrono::milliseconds timeout)
    : path_(std::move(socket_path)), timeout_(timeout), instance_(random_instance()) {}

template <typename... Args>
std::string Client::request(Op op, std::uint8_t flags, const Args&... args) {
  WireWriter out;
  wire::put(out, wire::RequestHead{op, flags, ++sequence_});
  (wire::put(out, args), ...);
  return wire::frame(out.bytes());
}

template <typename T, typename... Args>
Result<T> Client::call(Op op, const Args&... args) {
  const auto reply = TRY(exchange(request(op, 0, args...), steady_millis() + timeout_.count()));
  WireReader in(reply);
  TRY(wire::take_status(in));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return wire::get(in, wire::As<T>());
  }
}

void Client::drop() {
  socket_.reset();
  input_.clear();
  used_ = 0;
}

Result<void> Client::connect(std::int64_t deadline) {
  drop();
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket", path_);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path)
    return fail(Errc::bad_syntax, "{} is too long for a socket", path_);
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("connect", path_);
  socket_ = std::move(fd);
  const std::string hello = request(Op::hello, 0, wire::kLowestVersion, wire::kVersion, instance_);
  const auto reply = TRY(exchange_once(hello, deadline));
  WireReader in(reply);
  return wire::take_status(in);
}

Result<void> Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_error("send", path_);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

/// The result of reply `sequence`; replies to requests that were given up are passed over.
Result<std::string_view> Client::receive(std::uint64_t sequence, std::int64_t deadline) {
  for (;;) {
    const auto frame = TRY(wire::take_frame(std::string_view(input_).substr(used_)));
    if (frame) {
      used_ += frame->size;
      WireReader in(frame->payload);
      if (TRY(wire::take_sequence(in)) == sequence) return in.rest();
      continue;
    }
    input_.erase(0, std::exchange(used_, 0));
    pollfd ready{socket_.get(), POLLIN, 0};
    const std::int64_t left = deadline - steady_millis();
    if (left <= 0) return fail(Errc::timed_out, "no answer from metad");
    const int polled = ::poll(&ready, 1, static_cast<int>(left));
    if (polled < 0 && errno != EINTR) return errno_error("poll", path_);
    if (polled <= 0) continue;
    char piece[kReadOctets];  // not the string's end: to clear it costs more than the answer
    const ssize_t got = ::read(socket_.get(), piece, sizeof piece);
    if (got > 0) input_.append(piece, static_cast<std::size_t>(got));
    if (got == 0) return fail(Errc::closed, "metad closed the connection");
    if (got < 0 && errno != EINTR) return errno_error("read", path_);
  }
}

Result<std::string_view> Client::exchange_once(std::string_view request, std::int64_t deadline) {
  TRY(send(request));
  return receive(sequence_of(request), deadline);
}

Result<std::string_view> Client::exchange(const std::string& request, std::int64_t deadline) {
  bool sent = false;
  for (int attempt = 0;; ++attempt) {
    Result<void> connected;
    if (!socket_) connected = connect(deadline);
    if (connected) {
      auto reply = exchange_once(sent ? repeated(request) : request, deadline);
      if (reply) return reply;
      sent = true;
      connected = Error(reply.error());
    }
    drop();
    const Errc code = connected.error().code;
    const std::int64_t left = deadline - steady_millis();
    if (!is_lost(code) || left <= 0) {
      LOG(warning, "meta.unavailable", {"socket", path_}, {"error", connected.error().text});
      return fail(Errc::unavailable, "metad: {}", connected.error().text);
    }
    ::usleep(static_cast<useconds_t>(std::min(pause_after(attempt), left) * 1000));
  }
}

Result<void> Client::send_only(const std::string& frames) {
  if (!socket_) TRY(connect(steady_millis() + timeout_.count()));
  auto sent = send(frames);
  if (!sent) drop();
  return sent;
}

Result<void> Client::ping() {
  if (socket_) return {};
  auto connected = connect(steady_millis() + timeout_.count());
  if (connected) return {};
  drop();
  return fail(Errc::unavailable, "metad: {}", connected.error().text);
}

Result<MailboxEntry> Client::lookup(const MailboxName& name) {
  return call<MailboxEntry>(Op::lookup_name, name);
}
Result<MailboxEntry> Client::lookup(const MailboxId& id) {
  return call<MailboxEntry>(Op::lookup_id, id);
}

Result<std::vector<ListedMailbox>> Client::pages(Op op, const ListScope& scope) {
  return read_pages(scope.who, [&](const std::string& after) {
    return call<ListPage>(op, scope, after, kPageRows);
  });
}
Result<std::vector<ListedMailbox>> Client::list(const ListScope& scope) {
  return pages(Op::list, scope);
}
Result<std::vector<ListedMailbox>> Client::list_special(const ListScope& scope) {
  return pages(Op::list_special, scope);
}

// In parts: metad serves others between them.
Result<std::vector<LookedUp>> Client::look_up(const Identity& who,
                                              const std::vector<MailboxName>& names,
                                              bool children) {
  std::vector<LookedUp> out;
  for (std::size_t at = 0; at < names.size(); at += kLookUpNames) {
    const auto end = std::min(names.size(), at + kLookUpNames);
    const std::vector<MailboxName> part(names.begin() + static_cast<std::ptrdiff_t>(at),
                                        names.begin() + static_cast<std::ptrdiff_t>(end));
    const auto rows = TRY(call<std::string>(Op::look_up, who, part, children));
    auto found = TRY(read_looked_up(rows, who, part));
    std::ranges::move(found, std::back_inserter(out));
  }
  return out;
}

Result<MailboxEntry> Client::create(const NewMailbox& fresh) {
  return call<MailboxEntry>(Op::create, fresh);
}
Result<MailboxEntry> Client::erase(const MailboxName& name) {
  return call<MailboxEntry>(Op::erase, name);
}
Result<std::vector<Renamed>> Client::rename_tree(const MailboxName& from, const MailboxName& to,
                                                 const std::optional<NewMailbox>& inbox) {
  return call<std::vector<Renamed>>(Op::rename_tree, from, to, inbox);
}
Result<MailboxEntry> Client::set_acl(const MailboxName& name, std::string_view identifier,
                                     Rights rights) {
  return call<MailboxEntry>(Op::set_acl, name, identifier, rights);
}
Result<MailboxEntry> Client::set_special_use(const MailboxName& name, std::string_view uses) {
  return call<MailboxEntry>(Op::set_special_use, name, uses);
}
Result<MailboxEntry> Client::restore(const MailboxEntry& entry) {
  return call<MailboxEntry>(Op::restore, entry);
}
Result<std::uint64_t> Client::list_counter(const UserName& user) {
  return call<std::uint64_t>(Op::list_counter, user);
}
Result<std::vector<MailboxEntry>> Client::outbox(std::size_t most) {
  return call<std::vector<MailboxEntry>>(Op::outbox, static_cast<std::uint32_t>(most));
}
Result<void> Client::outbox_done(const MailboxId& id, std::uint64_t version) {
  return call<void>(Op::outbox_done, id, version);
}
Result<void> Client::announce(const MailboxId& id, std::string_view partition) {
  return call<void>(Op::announce, id, partition);
}
Result<std::vector<Unlisted>> Client::unlisted(std::int64_t before, const MailboxId& after,
                                               std::size_t most) {
  return call<std::vector<Unlisted>>(Op::unlisted, before, after, static_cast<std::uint32_t>(most));
}
Result<void> Client::unlisted_done(const MailboxId& id) {
  return call<void>(Op::unlisted_done, id);
}
Result<void> Client::subscribe(const UserName& user, std::string_view name) {
  return call<void>(Op::subscribe, user, name);
}
Result<void> Client::unsubscribe(const UserName& user, std::string_view name) {
  return call<void>(Op::unsubscribe, user, name);
}
Result<std::vector<std::string>> Client::subscriptions(const UserName& user) {
  return call<std::vector<std::string>>(Op::subscriptions, user);
}
Result<QuotaRoot> Client::set_quota(const MailboxName& root,
                                    const std::vector<QuotaResource>& limits) {
  return call<QuotaRoot>(Op::set_quota, root, limits);
}
Result<std::optional<QuotaRoot>> Client::quota_root_of(const MailboxName& mailbox) {
  return call<std::optional<QuotaRoot>>(Op::quota_root_of, mailbox);
}
Result<QuotaRoot> Client::quota(const MailboxName& root) {
  return call<QuotaRoot>(Op::quota, root);
}
Result<std::vector<QuotaRoot>> Client::quotas() { return call<std::vector<QuotaRoot>>(Op::quotas); }
Result<std::vector<QuotaRoot>> Client::quotas_within(const MailboxName& root) {
  return call<std::vector<QuotaRoot>>(Op::quotas_within, root);
}
Result<Reservation> Client::reserve(const MailboxId& mailbox, std::uint64_t bytes,
                                    std::uint64_t messages) {
  return call<Reservation>(Op::reserve, mailbox, bytes, messages);
}

void Client::release(Reservation reservation) {
  // A reservation dies with the connection that it was made on.
  if (reservation.id == 0 || !socket_) return;
  static_cast<void>(send_only(request(Op::release, wire::kNoReply, reservation)));
}

Result<void> Client::report(const Usage& usage, Reservation reservation) {
  const bool held = reservation.id != 0 && socket_;
  std::string frames = request(Op::report, wire::kNoReply, usage);
  if (held) frames += request(Op::release, wire::kNoReply, reservation);
  return send_only(frames);
}

Result<std::vector<MailboxId>> Client::due(std::int64_t now, std::size_t most) {
  return call<std::vector<MailboxId>>(Op::due, now, static_cast<std::uint32_t>(most));
}

Result<UserRecord> Client::user(const UserName& name, bool create) {
  auto record = call<UserRecord>(Op::user, name);
  if (record || !create || record.error().code != Errc::no_such_user) return record;
  return call<UserRecord>(Op::make_user, name);
}
Result<std::vector<UserRecord>> Client::users() { return call<std::vector<UserRecord>>(Op::users); }
Result<UserRecord> Client::bump_generation(const UserName& name) {
  return call<UserRecord>(Op::bump_generation, name);
}
Result<UserRecord> Client::restore_user(const UserRecord& found) {
  return call<UserRecord>(Op::restore_user, found);
}
Result<void> Client::erase_user(const UserName& name) { return call<void>(Op::erase_user, name); }
Result<std::vector<DueExport>> Client::due_exports(std::string_view after, std::size_t most) {
  return call<std::vector<DueExport>>(Op::due_exports, after, static_cast<std::uint32_t>(most));
}
Result<void> Client::export_done(std::string_view key, std::uint64_t version) {
  return call<void>(Op::export_done, key, version);
}

Result<std::optional<std::string>> Client::find_mark(const Mark& mark) {
  return call<std::optional<std::string>>(Op::find_mark, mark);
}
Result<void> Client::set_mark(const Mark& mark, std::string_view value, std::chrono::seconds life) {
  return send_only(
      request(Op::set_mark, wire::kNoReply, mark, value, static_cast<std::int64_t>(life.count())));
}

Result<void> Client::set_annotations(const MailboxName& mailbox,
                                     const std::vector<AnnotationChange>& changes,
                                     std::uint32_t most) {
  return call<void>(Op::set_annotations, mailbox, changes, most);
}
Result<std::vector<Annotation>> Client::annotations(const MailboxName& mailbox,
                                                    const UserName& user) {
  return call<std::vector<Annotation>>(Op::annotations, mailbox, user);
}

Result<void> Client::set_snoozed(const Snoozed& message) {
  return call<void>(Op::set_snoozed, message);
}
Result<void> Client::end_snoozed(const Snoozed& message) {
  return call<void>(Op::end_snoozed, message);
}
Result<std::vector<Snoozed>> Client::snoozed(std::int64_t now, std::uint32_t most) {
  return call<std::vector<Snoozed>>(Op::snoozed, now, most);
}

Result<void> Client::backup(const std::string& directory) {
  constexpr std::chrono::hours kLimit(1);
  const auto deadline = steady_millis() + std::chrono::milliseconds(kLimit).count();
  const auto reply = TRY(exchange(request(Op::backup, 0, directory), deadline));
  WireReader in(reply);
  return wire::take_status(in);
}

}  // namespace postern::meta
