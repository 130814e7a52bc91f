// imapd's options: doc/configuration.md has their meaning.
#include "imapd/options.h"

#include <unistd.h>

namespace postern::imap {
namespace {

std::string hostname_of(const config::Config& config) {
  if (!config.text("server.hostname").empty()) return config.text("server.hostname");
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

bool offers_start_tls(const config::Config& config) {
  for (const std::string& name : config.names_under("service")) {
    const std::string prefix = "service." + name;
    if (config.text(prefix + ".daemon") == "imapd" && config.text(prefix + ".tls") == "starttls")
      return true;
  }
  return false;
}

// sieve.url, else where this server's clients find ManageSieve.
std::string sieve_url_of(const config::Config& config, const std::string& hostname) {
  if (!config.text("sieve.url").empty()) return config.text("sieve.url");
  for (const std::string& name : config.names_under("service")) {
    const std::string prefix = "service." + name;
    if (config.text(prefix + ".daemon") != "managesieved" || !config.boolean(prefix + ".enabled"))
      continue;
    for (const std::string& where : config.list(prefix + ".listen")) {
      const auto colon = where.rfind(':');
      if (where.starts_with("unix:") || colon == std::string::npos) continue;
      const std::string port = where.substr(colon);
      return "sieve://" + hostname + (port == ":4190" ? "" : port);
    }
  }
  return {};
}

}  // namespace

Options Options::from(const config::Config& config) {
  Options options;
  options.append_limit = config.size("imap.append_limit");
  options.autologout = config.duration("imap.autologout");
  options.idle_keepalive = config.duration("imap.idle_keepalive");
  options.rights_refresh = config.duration("imap.rights_refresh");
  options.max_command = config.size("imap.max_command");
  options.bad_command_limit = static_cast<std::uint32_t>(config.integer("imap.bad_command_limit"));
  options.metadata_max_size = config.size("imap.metadata_max_size");
  options.metadata_max_entries =
      static_cast<std::uint32_t>(config.integer("imap.metadata_max_entries"));
  options.admin_contact = config.text("server.admin_contact");
  options.autocreate = config.boolean("imap.autocreate");
  options.start_tls = offers_start_tls(config);
  options.hostname = hostname_of(config);
  options.trace_directory = config.text("log.trace_directory");
  options.sieve_url = sieve_url_of(config, options.hostname);
  options.prefixes = meta::NamespacePrefixes::from(config);
  return options;
}

}  // namespace postern::imap
