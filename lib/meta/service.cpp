#include "lib/meta/service.h"

#include <array>
#include <tuple>

namespace postern::meta {
namespace {

using wire::As;
using wire::Op;

/// A request being executed. `txn` is there for changes.
struct Call {
  Core& core;
  std::uint64_t session;
  std::uint64_t sequence;
  WireReader in;
  db::Transaction* txn = nullptr;
};

/// Takes all arguments of a request, in order, and nothing else.
template <typename... Args>
Result<std::tuple<Args...>> arguments(WireReader& in) {
  // Braces: evaluated from left to right.
  std::tuple<Result<Args>...> taken{wire::get(in, As<Args>())...};
  const auto unpack = [](auto&... each) -> Result<std::tuple<Args...>> {
    const Error* problem = nullptr;
    ((problem = problem || each ? problem : &each.error()), ...);
    if (problem) return Error(*problem);
    return std::tuple<Args...>(std::move(*each)...);
  };
  auto out = std::apply(unpack, taken);
  if (out && !in.at_end()) return fail(Errc::bad_syntax, "a request with more than its arguments");
  return out;
}

template <typename T>
Result<std::string> answer(std::uint64_t sequence, const Result<T>& result) {
  if (!result) return Error(result.error());
  std::string reply;
  if constexpr (std::is_void_v<T>) {
    reply = wire::reply(sequence);
  } else {
    reply = wire::reply(sequence, *result);
  }
  if (reply.size() > wire::kMostPayload)
    return fail(Errc::limit, "a reply of {} octets", reply.size());
  return reply;
}

template <typename... Args, typename Body>
Result<std::string> with(Call& call, Body&& body) {
  auto taken = TRY(arguments<Args...>(call.in));
  return answer(call.sequence, std::apply(body, taken));
}

/// Relaxed changes may be lost with a power cut: usage is reported again, what was said to be done
/// is done again, a lost mark costs a second copy at worst. The others are answered when they are
/// durable.
enum class Kind { read, durable, relaxed };

struct Row {
  Op op;
  Kind kind;
  Result<std::string> (*run)(Call&);
};

template <typename... Args, typename Method>
Result<std::string> look(Call& call, Method method) {
  return with<Args...>(call, [&](const auto&... args) { return (call.core.*method)(args...); });
}

template <typename... Args, typename Method>
Result<std::string> change(Call& call, Method method) {
  return with<Args...>(
      call, [&](const auto&... args) { return (call.core.*method)(*call.txn, args...); });
}

using LookupName = Result<MailboxEntry> (Core::*)(const MailboxName&);
using LookupId = Result<MailboxEntry> (Core::*)(const MailboxId&);
using Number = std::uint64_t;
using Count = std::uint32_t;
using Names = std::optional<NewMailbox>;

Result<std::string> release(Call& c) {
  return with<Reservation>(c, [&](Reservation reservation) -> Result<void> {
    c.core.release(c.session, reservation);
    return {};
  });
}

Result<std::string> reserve(Call& c) {
  return with<MailboxId, Number, Number>(c, [&](const auto& id, Number bytes, Number messages) {
    return c.core.reserve(c.session, id, bytes, messages);
  });
}

Result<std::string> set_mark(Call& c) {
  return with<Mark, std::string, std::int64_t>(
      c, [&](const auto& mark, const auto& value, std::int64_t life) {
        return c.core.set_mark(*c.txn, mark, value, std::chrono::seconds(life));
      });
}

constexpr auto kRead = Kind::read;
constexpr auto kDurable = Kind::durable;
constexpr auto kRelaxed = Kind::relaxed;

// clang-format off
constexpr std::array kRows{
    Row{Op::lookup_name, kRead, [](Call& c) { return look<MailboxName>(c, LookupName(&Core::lookup)); }},
    Row{Op::lookup_id, kRead, [](Call& c) { return look<MailboxId>(c, LookupId(&Core::lookup)); }},
    Row{Op::list, kRead, [](Call& c) { return look<ListScope, std::string, Count>(c, &Core::list); }},
    Row{Op::list_special, kRead, [](Call& c) { return look<ListScope, std::string, Count>(c, &Core::list_special); }},
    Row{Op::look_up, kRead, [](Call& c) { return look<Identity, std::vector<MailboxName>, bool>(c, &Core::look_up); }},
    Row{Op::list_counter, kRead, [](Call& c) { return look<UserName>(c, &Core::list_counter); }},
    Row{Op::outbox, kRead, [](Call& c) { return look<Count>(c, &Core::outbox); }},
    Row{Op::subscriptions, kRead, [](Call& c) { return look<UserName>(c, &Core::subscriptions); }},
    Row{Op::quota_root_of, kRead, [](Call& c) { return look<MailboxName>(c, &Core::quota_root_of); }},
    Row{Op::quota, kRead, [](Call& c) { return look<MailboxName>(c, &Core::quota); }},
    Row{Op::quotas, kRead, [](Call& c) { return look<>(c, &Core::quotas); }},
    Row{Op::reserve, kRead, reserve},
    Row{Op::release, kRead, release},
    Row{Op::unlisted, kRead, [](Call& c) { return look<std::int64_t, MailboxId, Count>(c, &Core::unlisted); }},
    Row{Op::due_exports, kRead, [](Call& c) { return look<std::string, Count>(c, &Core::due_exports); }},
    Row{Op::quotas_within, kRead, [](Call& c) { return look<MailboxName>(c, &Core::quotas_within); }},
    Row{Op::due, kRead, [](Call& c) { return look<std::int64_t, Count>(c, &Core::due); }},
    Row{Op::user, kRead, [](Call& c) { return look<UserName>(c, &Core::user); }},
    Row{Op::users, kRead, [](Call& c) { return look<>(c, &Core::users); }},
    Row{Op::find_mark, kRead, [](Call& c) { return look<Mark>(c, &Core::find_mark); }},
    Row{Op::annotations, kRead, [](Call& c) { return look<MailboxName, UserName>(c, &Core::annotations); }},
    Row{Op::snoozed, kRead, [](Call& c) { return look<std::int64_t, Count>(c, &Core::snoozed); }},
    Row{Op::create, kDurable, [](Call& c) { return change<NewMailbox>(c, &Core::create); }},
    Row{Op::erase, kDurable, [](Call& c) { return change<MailboxName>(c, &Core::erase); }},
    Row{Op::rename_tree, kDurable, [](Call& c) { return change<MailboxName, MailboxName, Names>(c, &Core::rename_tree); }},
    Row{Op::set_acl, kDurable, [](Call& c) { return change<MailboxName, std::string, Rights>(c, &Core::set_acl); }},
    Row{Op::set_special_use, kDurable, [](Call& c) { return change<MailboxName, std::string>(c, &Core::set_special_use); }},
    Row{Op::restore, kDurable, [](Call& c) { return change<MailboxEntry>(c, &Core::restore); }},
    Row{Op::announce, kDurable, [](Call& c) { return change<MailboxId, std::string>(c, &Core::announce); }},
    Row{Op::subscribe, kDurable, [](Call& c) { return change<UserName, std::string>(c, &Core::subscribe); }},
    Row{Op::unsubscribe, kDurable, [](Call& c) { return change<UserName, std::string>(c, &Core::unsubscribe); }},
    Row{Op::set_quota, kDurable, [](Call& c) { return change<MailboxName, std::vector<QuotaResource>>(c, &Core::set_quota); }},
    Row{Op::make_user, kDurable, [](Call& c) { return change<UserName>(c, &Core::make_user); }},
    Row{Op::bump_generation, kDurable, [](Call& c) { return change<UserName>(c, &Core::bump_generation); }},
    Row{Op::restore_user, kDurable, [](Call& c) { return change<UserRecord>(c, &Core::restore_user); }},
    Row{Op::erase_user, kDurable, [](Call& c) { return change<UserName>(c, &Core::erase_user); }},
    Row{Op::set_annotations, kDurable, [](Call& c) { return change<MailboxName, std::vector<AnnotationChange>, Count>(c, &Core::set_annotations); }},
    Row{Op::set_snoozed, kDurable, [](Call& c) { return change<Snoozed>(c, &Core::set_snoozed); }},
    Row{Op::end_snoozed, kDurable, [](Call& c) { return change<Snoozed>(c, &Core::end_snoozed); }},
    Row{Op::outbox_done, kRelaxed, [](Call& c) { return change<MailboxId, Number>(c, &Core::outbox_done); }},
    Row{Op::unlisted_done, kRelaxed, [](Call& c) { return change<MailboxId>(c, &Core::unlisted_done); }},
    Row{Op::export_done, kRelaxed, [](Call& c) { return change<std::string, Number>(c, &Core::export_done); }},
    Row{Op::report, kRelaxed, [](Call& c) { return change<Usage>(c, &Core::report); }},
    Row{Op::set_mark, kRelaxed, set_mark},
};
// clang-format on

const Row* row_of(Op op) {
  for (const auto& row : kRows)
    if (row.op == op) return &row;
  return nullptr;
}

Executed refused(std::uint64_t sequence, const Error& error) {
  Executed out;
  out.reply = wire::reply_error(sequence, error);
  out.close = true;
  return out;
}

}  // namespace

Executed Service::hello(ServiceSession& session, std::uint64_t sequence, WireReader& in) {
  auto taken = arguments<std::uint32_t, std::uint32_t, std::string>(in);
  if (!taken) return refused(sequence, taken.error());
  auto& [lowest, highest, instance] = *taken;
  if (lowest > wire::kVersion || highest < wire::kLowestVersion)
    return refused(sequence, fail(Errc::not_supported, "protocol {} to {}", lowest, highest));
  if (instance.size() != wire::kInstanceSize)
    return refused(sequence, fail(Errc::bad_syntax, "an instance of {}", instance.size()));
  session.instance = std::move(instance);
  Executed out;
  out.reply = wire::reply(sequence, std::min(highest, wire::kVersion));
  return out;
}

Result<std::string> Service::repeated(const ServiceSession& session, std::uint64_t sequence) {
  auto last = TRY(core_.last_request(session.instance));
  if (!last || last->sequence != sequence) return std::string();
  return std::move(last->reply);
}

Executed Service::run(ServiceSession& session, const wire::RequestHead& head,
                      const WireReader& in) {
  Executed out;
  const Row* row = row_of(head.op);
  Result<std::string> done = fail(Errc::not_supported, "operation {}", static_cast<int>(head.op));
  Call call{core_, session.id, head.sequence, in};
  if (row && row->kind == Kind::read) done = row->run(call);
  if (row && row->kind != Kind::read) {
    out.durable = row->kind == Kind::durable;
    if (out.durable && (head.flags & wire::kRepeated) != 0) {
      done = repeated(session, head.sequence);
      if (done && !done->empty()) {
        out.reply = std::move(*done);
        return out;
      }
    }
    done = core_.environment().transact([&](db::Transaction& txn) -> Result<std::string> {
      Call change = call;
      change.txn = &txn;
      auto reply = TRY(row->run(change));
      if (out.durable) TRY(core_.remember_request(txn, session.instance, head.sequence, reply));
      return reply;
    });
  }
  out.durable = out.durable && done;
  out.reply = done ? std::move(*done) : wire::reply_error(head.sequence, done.error());
  return out;
}

Executed Service::backup(std::uint64_t sequence, WireReader& in) {
  auto taken = arguments<std::string>(in);
  Executed out;
  if (!taken || std::get<0>(*taken).empty()) {
    out.reply = wire::reply_error(sequence, fail(Errc::bad_syntax, "a backup into nowhere"));
  } else {
    out.backup = std::move(std::get<0>(*taken));
  }
  return out;
}

Executed Service::execute(ServiceSession& session, std::string_view request) {
  WireReader in(request);
  const auto head = wire::take_head(in);
  if (!head) return refused(0, head.error());
  Executed out;
  if (head->op == Op::hello) {
    out = hello(session, head->sequence, in);
  } else if (session.instance.empty()) {
    out = refused(head->sequence, fail(Errc::bad_syntax, "a request before hello"));
  } else if (head->op == Op::backup) {
    out = backup(head->sequence, in);
  } else {
    out = run(session, *head, in);
  }
  out.sequence = head->sequence;
  if ((head->flags & wire::kNoReply) != 0) out.reply.clear();
  return out;
}

}  // namespace postern::meta
