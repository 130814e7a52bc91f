// What each command of posternadm does; adm_table.cpp says how it is called.
#pragma once

#include "tools/adm/shell.h"

namespace postern::tools::adm {

Result<void> authenticate(AdmSession& session, const Words& args);
Result<void> connect(AdmSession& session, const Words& args);
Result<void> create_mailbox(AdmSession& session, const Words& args);
Result<void> delete_acl(AdmSession& session, const Words& args);
Result<void> delete_mailbox(AdmSession& session, const Words& args);
Result<void> disconnect(AdmSession& session, const Words& args);
Result<void> get_metadata(AdmSession& session, const Words& args);
Result<void> help(AdmSession& session, const Words& args);
Result<void> info(AdmSession& session, const Words& args);
Result<void> list_acl(AdmSession& session, const Words& args);
Result<void> list_mailbox(AdmSession& session, const Words& args);
Result<void> list_quota(AdmSession& session, const Words& args);
Result<void> list_quota_root(AdmSession& session, const Words& args);
Result<void> quit(AdmSession& session, const Words& args);
Result<void> reconstruct(AdmSession& session, const Words& args);
Result<void> rename_mailbox(AdmSession& session, const Words& args);
Result<void> set_acl(AdmSession& session, const Words& args);
Result<void> set_metadata(AdmSession& session, const Words& args);
Result<void> set_quota(AdmSession& session, const Words& args);
Result<void> subscribe(AdmSession& session, const Words& args);
Result<void> unsubscribe(AdmSession& session, const Words& args);
Result<void> version(AdmSession& session, const Words& args);

/// Part of info.
Result<void> show_annotations(AdmSession& session, const std::string& mailbox);

}  // namespace postern::tools::adm
