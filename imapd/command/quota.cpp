// Quota: GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208 §4.1).
#include <array>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/name_codec.h"
#include "lib/log/log.h"
#include "lib/meta/quota_root.h"

namespace postern::imap {
namespace {

struct ResourceName {
  std::string_view name;
  meta::Resource resource;
  std::uint64_t unit;  // octets or objects in one of the wire's units (RFC 9208 §5)
};
constexpr std::array kResources{
    ResourceName{"STORAGE", meta::Resource::storage, 1024},
    ResourceName{"MESSAGE", meta::Resource::message, 1},
    ResourceName{"MAILBOX", meta::Resource::mailbox, 1},
    ResourceName{"ANNOTATION-STORAGE", meta::Resource::annotation_storage, 1024},
};

const ResourceName& row_of(meta::Resource resource) {
  for (const ResourceName& row : kResources)
    if (row.resource == resource) return row;
  return kResources.front();
}

// setquota-resource = resource-name SP resource-limit
Result<meta::QuotaResource> parse_limit(Cursor& in) {
  for (const ResourceName& row : kResources) {
    if (!in.take_word(row.name)) continue;
    TRY(in.space());
    const auto limit = TRY(parse_number64(in));
    if (limit > INT64_MAX / row.unit) return in.expected("a smaller limit");
    return meta::QuotaResource{row.resource, 0, limit * row.unit};
  }
  return in.expected("a quota resource");
}

// "* QUOTA root (STORAGE 10 512)"; usage is rounded up to whole units.
void tell_quota(Context& ctx, const meta::QuotaRoot& quota) {
  std::string list;
  for (const meta::QuotaResource& resource : quota.resources) {
    if (!resource.limit) continue;
    const ResourceName& row = row_of(resource.resource);
    list += fmt::format("{}{} {} {}", list.empty() ? "" : " ", row.name,
                        (resource.usage + row.unit - 1) / row.unit, *resource.limit / row.unit);
  }
  ctx.out.untagged("QUOTA ", ctx.wire_name(quota.root), " (", list, ")");
}

// Usage tells of the messages: that needs the right to read them (RFC 9208 §6).
Result<Found> find_measurable(Context& ctx, std::string_view client_name) {
  if (ctx.conn.who.admin) return ctx.find(client_name);
  return ctx.find_with(client_name, meta::Right::read);
}

// A root's name is its mailbox's; who may read that mailbox may read its quota.
Result<meta::QuotaRoot> readable_root(Context& ctx, std::string_view client_name) {
  const auto name = TRY(ctx.internal_name(client_name));
  if (!ctx.conn.who.admin) TRY(find_measurable(ctx, client_name));
  return ctx.back.meta.quota(name);
}

}  // namespace

// getquota = "GETQUOTA" SP quota-root-name
Result<GetQuota::Request> GetQuota::parse(Cursor& in) {
  TRY(in.space());
  return Request{TRY(parse_mailbox(in))};
}

Result<meta::QuotaRoot> GetQuota::plan(const Request& request, Context& ctx) {
  return readable_root(ctx, request.mailbox);
}

void GetQuota::respond(const meta::QuotaRoot& quota, Context& ctx) { tell_quota(ctx, quota); }

// getquotaroot = "GETQUOTAROOT" SP mailbox
Result<GetQuotaRoot::Plan> GetQuotaRoot::plan(const Request& request, Context& ctx) {
  const auto found = TRY(find_measurable(ctx, request.mailbox));
  auto quota = TRY(ctx.back.meta.quota_root_of(found.entry.name));
  return Plan{found.entry.name, std::move(quota)};
}

void GetQuotaRoot::respond(const Plan& plan, Context& ctx) {
  const std::string root = plan.quota ? " " + ctx.wire_name(plan.quota->root) : "";
  ctx.out.untagged("QUOTAROOT ", ctx.wire_name(plan.mailbox), root);
  if (plan.quota) tell_quota(ctx, *plan.quota);
}

// setquota = "SETQUOTA" SP quota-root-name SP setquota-list
Result<SetQuota::Request> SetQuota::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.root = TRY(parse_mailbox(in));
  TRY(in.space());
  TRY(in.expect('('));
  if (in.take(')')) return request;
  request.limits = TRY(separated_by(in, ' ', parse_limit));
  TRY(in.expect(')'));
  return request;
}

Result<SetQuota::Plan> SetQuota::plan(const Request& request, Context& ctx) {
  if (!ctx.conn.who.admin) return fail(Errc::no_permission, "SETQUOTA is for administrators");
  auto root = TRY(ctx.internal_name(request.root));
  TRY(meta::check_quota_root(ctx.back.meta, root));
  return Plan{std::move(root), request.limits};
}

Result<meta::QuotaRoot> SetQuota::execute(const Plan& plan, Context& ctx) {
  auto quota = TRY(ctx.back.meta.set_quota(plan.root, plan.limits));
  std::string limits;
  for (const meta::QuotaResource& one : plan.limits)
    limits += fmt::format("{}{}:{}", limits.empty() ? "" : ",", row_of(one.resource).name,
                          one.limit.value_or(0));
  LOG(notice, "quota.set", {"conn", ctx.facts.session_id}, {"user", ctx.conn.who.user.text()},
      {"mailbox", plan.root.text()}, {"limits", limits});
  return quota;
}

void SetQuota::respond(const meta::QuotaRoot& quota, Context& ctx) {
  if (!quota.resources.empty()) tell_quota(ctx, quota);
}

}  // namespace postern::imap
