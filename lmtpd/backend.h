// What a worker holds for all its sessions.
#pragma once

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/store/store.h"
#include "lmtpd/options.h"
#include "lmtpd/resolve.h"
#include "sieve/site/lists.h"
#include "sieve/site/programs.h"
#include "sieve/site/settings.h"
#include "sieve/site/sieve_scripts.h"
#include "sieve/site/submit.h"

namespace postern::lmtp {

struct Backend {
  store::Store& store;
  meta::Meta& meta;
  const auth::Authenticator& auth;
  const Options& options;
  QuotaGlance& quota;
  const site::Settings& site;
  site::SieveScripts& scripts;
  site::SieveLists& lists;
  site::Submitter& submitter;
  const site::Programs& programs;
};

}  // namespace postern::lmtp
