#include "tools/export.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/store/scripts.h"

namespace postern::tools {
namespace {

using nlohmann::json;
namespace stdfs = std::filesystem;

constexpr std::array<std::string_view, 4> kResources{"storage", "message", "mailbox",
                                                     "annotation_storage"};

json json_of(const meta::QuotaRoot& root) {
  json limits = json::object();
  for (const auto& resource : root.resources)
    if (resource.limit)
      limits[std::string(kResources.at(static_cast<std::size_t>(resource.resource)))] =
          *resource.limit;
  return {{"root", root.root.text()}, {"limits", std::move(limits)}};
}

void add_annotations(json& list, const std::vector<meta::Annotation>& annotations) {
  for (const auto& one : annotations)
    list.push_back({{"mailbox", one.mailbox.text()},
                    {"user", one.user.text()},
                    {"entry", one.entry},
                    // Values may be any octets, JSON strings are UTF-8.
                    {is_utf8(one.value) ? "value" : "value_base64",
                     is_utf8(one.value) ? one.value : to_base64(one.value)}});
}

std::string text_of(const json& document) {
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<json> document_of(meta::Meta& meta, const meta::UserRecord& user) {
  const auto inbox = meta::MailboxName::inbox_of(user.name);
  const auto subscriptions = TRY(meta.subscriptions(user.name));
  json document{{"format", 1},
                {"user", user.name.text()},
                {"id", user.id.hex()},
                {"partition", user.partition},
                {"generation", user.generation},
                {"created", user.created},
                {"subscriptions", subscriptions},
                {"quota", json::array()},
                {"annotations", json::array()}};
  for (const auto& root : TRY(meta.quotas_within(inbox)))
    document["quota"].push_back(json_of(root));
  meta::ListScope scope;
  scope.who.admin = true;
  scope.roots.push_back(inbox);
  for (const auto& listed : TRY(meta.list(scope))) {
    const auto found = meta.annotations(listed.entry.name, user.name);
    if (found) add_annotations(document["annotations"], *found);
    // One may go, or get another name, in the meantime: then this export is due again.
    if (!found && found.error().code != Errc::no_such_mailbox) return found.error();
  }
  return document;
}

/// All user.json files of a partition.
std::vector<stdfs::path> files_below(const std::string& partition) {
  std::vector<stdfs::path> found;
  std::error_code error;
  for (const auto& prefix : stdfs::directory_iterator(partition + "/u", error))
    for (const auto& user : stdfs::directory_iterator(prefix.path(), error))
      if (const auto file = user.path() / "user.json"; stdfs::exists(file, error))
        found.push_back(file);
  return found;
}

Result<bool> write_if_changed(const std::string& path, const std::string& text) {
  const auto before = read_file(path);
  if (before && *before == text) return false;
  TRY(replace_file(path, text));
  return true;
}

std::string export_path(const config::Config& config, const meta::UserRecord& user) {
  return store::user_directory(config, user) + "/user.json";
}

/// Whether the file had to be written.
Result<bool> export_user(meta::Meta& meta, const config::Config& config,
                         const meta::UserRecord& user) {
  const std::string text = text_of(TRY(document_of(meta, user)));
  TRY(store::make_user_directory(config, user));
  return write_if_changed(export_path(config, user), text);
}

Result<bool> remove_export(const config::Config& config, const meta::UserRecord& user) {
  std::error_code error;
  const bool removed = stdfs::remove(export_path(config, user), error);
  if (error) return fail(Errc::io, "{}: {}", export_path(config, user), error.message());
  return removed;
}

std::string site_path(const config::Config& config) {
  return config.text("partition.default.path") + "/site.json";
}

Result<void> import_quota(meta::Meta& meta, const json& one) {
  const auto root = TRY(meta::MailboxName::from_utf8(one.at("root").get<std::string>()));
  if (meta.quota(root)) return {};
  std::vector<meta::QuotaResource> limits;
  for (std::size_t i = 0; i < kResources.size(); ++i)
    if (const auto at = one.at("limits").find(kResources.at(i)); at != one.at("limits").end())
      limits.push_back({static_cast<meta::Resource>(i), 0, at->get<std::uint64_t>()});
  if (!limits.empty()) TRY(meta.set_quota(root, limits));
  return {};
}

Result<void> import_annotation(meta::Meta& meta, const json& one) {
  meta::MailboxName mailbox;
  meta::AnnotationChange change;
  if (const auto name = one.at("mailbox").get<std::string>(); !name.empty())
    mailbox = TRY(meta::MailboxName::from_utf8(name));
  if (const auto user = one.at("user").get<std::string>(); !user.empty())
    change.user = TRY(meta::UserName::from_utf8(user));
  change.entry = one.at("entry").get<std::string>();
  change.value = one.contains("value")
                     ? one.at("value").get<std::string>()
                     : TRY(from_base64(one.at("value_base64").get<std::string>()));
  auto set = meta.set_annotations(mailbox, {change}, UINT32_MAX);
  // Its mailbox may have been deleted since the export.
  if (!set && set.error().code != Errc::no_such_mailbox) return set;
  return {};
}

Result<void> import_lists(meta::Meta& meta, const json& document) {
  for (const json& one : document.at("quota")) TRY(import_quota(meta, one));
  for (const json& one : document.at("annotations")) TRY(import_annotation(meta, one));
  return {};
}

Result<bool> import_user(meta::Meta& meta, const json& document) {
  meta::UserRecord user;
  user.name = TRY(meta::UserName::from_utf8(document.at("user").get<std::string>()));
  const auto known = meta.user(user.name, false);
  if (known) return false;
  if (known.error().code != Errc::no_such_user) return known.error();
  user.id = TRY(UserId::from_hex(document.at("id").get<std::string>()));
  user.partition = document.at("partition").get<std::string>();
  // Sessions of before the loss end.
  user.generation = document.at("generation").get<std::uint64_t>() + 1;
  user.created = document.at("created").get<std::int64_t>();
  TRY(meta.restore_user(user));
  for (const json& name : document.at("subscriptions"))
    TRY(meta.subscribe(user.name, name.get<std::string>()));
  TRY(import_lists(meta, document));
  return true;
}

/// `work` on the file's document; whatever is wrong with the file is one error.
template <typename Work>
auto with_document(const std::string& path, Work work)
    -> decltype(work(std::declval<const json&>())) {
  const auto text = read_file(path);
  if (!text) return text.error();
  try {
    return work(json::parse(*text));
  } catch (const json::exception& problem) {
    return fail(Errc::corrupt, "{}: {}", path, problem.what());
  }
}

}  // namespace

Result<std::size_t> export_due(meta::Meta& meta, const config::Config& config) {
  constexpr std::size_t kPage = 1'000;
  std::size_t touched = 0;
  std::vector<meta::DueExport> page;
  std::string after;
  do {
    page = TRY(meta.due_exports(after, kPage));
    for (const auto& due : page) {
      if (!due.user.name.empty())
        touched += TRY(export_user(meta, config, due.user)) ? 1 : 0;
      else if (!due.user.id.empty())
        touched += TRY(remove_export(config, due.user)) ? 1 : 0;
      TRY(meta.export_done(due.key, due.version));
      after = due.key;
    }
  } while (page.size() == kPage);
  return touched;
}

Result<std::size_t> export_users(meta::Meta& meta, const config::Config& config) {
  std::size_t touched = 0;
  std::set<std::string> current;
  for (const auto& user : TRY(meta.users())) {
    touched += TRY(export_user(meta, config, user)) ? 1 : 0;
    current.insert(export_path(config, user));
  }
  for (const auto& [name, path] : config.partitions())
    for (const auto& file : files_below(path)) {
      std::error_code error;
      if (!current.contains(file.string())) touched += stdfs::remove(file, error) ? 1 : 0;
    }
  return touched;
}

Result<void> export_site(meta::Meta& meta, const config::Config& config) {
  json document{{"format", 1}, {"quota", json::array()}, {"annotations", json::array()}};
  for (const auto& root : TRY(meta.quotas()))
    if (root.root.owner().empty()) document["quota"].push_back(json_of(root));
  add_annotations(document["annotations"], TRY(meta.annotations({}, {})));
  meta::ListScope everything;
  everything.who.admin = true;
  for (const auto& listed : TRY(meta.list(everything)))
    if (listed.entry.name.owner().empty())
      add_annotations(document["annotations"], TRY(meta.annotations(listed.entry.name, {})));
  TRY(write_if_changed(site_path(config), text_of(document)));
  return {};
}

Result<Imported> import_all(meta::Meta& meta, const config::Config& config) {
  Imported out;
  const auto look = [&](const std::string& path, auto work) -> Result<void> {
    const auto done = with_document(path, work);
    if (done) out.users += *done ? 1 : 0;
    if (done || done.error().code == Errc::unavailable) return done ? Result<void>() : done.error();
    fmt::print(stderr, "{}\n", done.error().text);
    ++out.unreadable;
    return {};
  };
  for (const auto& [name, path] : config.partitions())
    for (const auto& file : files_below(path))
      TRY(look(file.string(), [&](const json& document) { return import_user(meta, document); }));
  if (const auto path = site_path(config); stdfs::exists(path))
    TRY(look(path, [&](const json& document) -> Result<bool> {
      TRY(import_lists(meta, document));
      return false;
    }));
  return out;
}

}  // namespace postern::tools
