// Every command of `postern`, one file each. The meaning of the parameters is in command_table.cpp.
#pragma once

#include "tools/command.h"

namespace postern::tools {

Result<int> backup(const Arguments& arguments, Context& context);
Result<int> check(const Arguments& arguments, Context& context);
Result<int> config_check(const Arguments& arguments, Context& context);
Result<int> config_manual(const Arguments& arguments, Context& context);
Result<int> config_show(const Arguments& arguments, Context& context);
Result<int> expire(const Arguments& arguments, Context& context);
Result<int> kick(const Arguments& arguments, Context& context);
Result<int> mailbox_list(const Arguments& arguments, Context& context);
Result<int> mailbox_path(const Arguments& arguments, Context& context);
Result<int> quota_list(const Arguments& arguments, Context& context);
Result<int> quota_set(const Arguments& arguments, Context& context);
Result<int> rebuild_list(const Arguments& arguments, Context& context);
Result<int> reconstruct(const Arguments& arguments, Context& context);
Result<int> sieve_activate(const Arguments& arguments, Context& context);
Result<int> sieve_addresses(const Arguments& arguments, Context& context);
Result<int> sieve_check(const Arguments& arguments, Context& context);
Result<int> sieve_delete(const Arguments& arguments, Context& context);
Result<int> sieve_filter(const Arguments& arguments, Context& context);
Result<int> sieve_get(const Arguments& arguments, Context& context);
Result<int> sieve_list(const Arguments& arguments, Context& context);
Result<int> sieve_put(const Arguments& arguments, Context& context);
Result<int> sieve_test(const Arguments& arguments, Context& context);
Result<int> snooze_list(const Arguments& arguments, Context& context);
Result<int> snooze_wake(const Arguments& arguments, Context& context);
Result<int> user_add(const Arguments& arguments, Context& context);
Result<int> user_delete(const Arguments& arguments, Context& context);
Result<int> user_list(const Arguments& arguments, Context& context);
Result<int> user_passwd(const Arguments& arguments, Context& context);
Result<int> who(const Arguments& arguments, Context& context);

}  // namespace postern::tools
