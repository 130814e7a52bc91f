#include "lmtpd/options.h"

#include "lib/config/hostname.h"

namespace postern::lmtp {

Options Options::from(const config::Config& config) {
  Options out;
  out.hostname = config::hostname_of(config);
  out.trace_directory = config.text("log.trace_directory");
  out.addresses.default_domain = config.text("auth.default_domain");
  out.addresses.post_user = config.text("namespace.post_user");
  out.idle_timeout = config.duration("lmtp.idle_timeout");
  out.duplicate_life =
      std::chrono::duration_cast<std::chrono::seconds>(config.duration("lmtp.duplicate_life"));
  out.max_message = config.size("lmtp.max_message");
  out.max_recipients = static_cast<std::size_t>(config.integer("lmtp.max_recipients"));
  out.autocreate = config.boolean("lmtp.autocreate");
  out.over_quota_permanent = config.boolean("lmtp.over_quota_permanent");
  out.require_auth = config.boolean("lmtp.require_auth");
  out.postmaster = config.text("lmtp.postmaster");
  out.sieve_submission = config.text("sieve.submission");
  return out;
}

}  // namespace postern::lmtp
