// The callbacks that libsieve wants. Headers are supplied by us: its own header parser crashes.
#include "tests/oracle/libsieve.h"

#include <sieve2.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/message.h"

namespace postern::sieve {
namespace {

struct Context {
  const std::string& script;
  const std::string& message;
  const std::string& from;
  const std::string& to;
  std::string out;  // decisions, one a line
  bool error = false;
  std::vector<std::string> values;  // of the field asked for last
  std::vector<char*> pointers;
};

Context& context_of(void* user) { return *static_cast<Context*>(user); }

std::string value_of(sieve2_context_t* s, const char* name) {
  const char* text = sieve2_getvalue_string(s, const_cast<char*>(name));
  return text == nullptr ? std::string() : text;
}

void set_value(sieve2_context_t* s, const char* name, const std::string& value) {
  sieve2_setvalue_string(s, const_cast<char*>(name), const_cast<char*>(value.c_str()));
}

int on_keep(sieve2_context_t*, void* user) {
  context_of(user).out += "keep\n";
  return SIEVE2_OK;
}
int on_discard(sieve2_context_t*, void* user) {
  context_of(user).out += "discard\n";
  return SIEVE2_OK;
}
int on_fileinto(sieve2_context_t* s, void* user) {
  context_of(user).out += "fileinto " + value_of(s, "mailbox") + "\n";
  return SIEVE2_OK;
}
int on_redirect(sieve2_context_t* s, void* user) {
  context_of(user).out += "redirect " + value_of(s, "address") + "\n";
  return SIEVE2_OK;
}
int on_reject(sieve2_context_t*, void* user) {
  context_of(user).out += "reject\n";
  return SIEVE2_OK;
}
int on_error(sieve2_context_t*, void* user) {
  context_of(user).error = true;
  return SIEVE2_OK;
}
int on_script(sieve2_context_t* s, void* user) {
  set_value(s, "script", context_of(user).script);
  return SIEVE2_OK;
}
int on_size(sieve2_context_t* s, void* user) {
  sieve2_setvalue_int(s, const_cast<char*>("size"),
                      static_cast<int>(context_of(user).message.size()));
  return SIEVE2_OK;
}
int on_envelope(sieve2_context_t* s, void* user) {
  set_value(s, "from", context_of(user).from);
  set_value(s, "to", context_of(user).to);
  return SIEVE2_OK;
}
int on_header(sieve2_context_t* s, void* user) {
  Context& c = context_of(user);
  const auto name = value_of(s, "header");
  c.values.clear();
  c.pointers.clear();
  for (const auto& field : mime::scan_header(c.message).fields)
    if (iequals(field.name.of(c.message), name))
      c.values.emplace_back(trim(mime::decode_header(field.value.of(c.message))));
  for (auto& value : c.values) c.pointers.push_back(value.data());
  c.pointers.push_back(nullptr);
  sieve2_setvalue_stringlist(s, const_cast<char*>("body"), c.pointers.data());
  return SIEVE2_OK;
}
// Despite its name this is where :localpart and :domain come from, too.
int on_subaddress(sieve2_context_t* s, void* user) {
  Context& c = context_of(user);
  const auto address = value_of(s, "address");
  const auto at = address.rfind('@');
  c.values = {address.substr(0, at), at == std::string::npos ? "" : address.substr(at + 1), ""};
  set_value(s, "user", c.values[0]);
  set_value(s, "detail", c.values[2]);
  set_value(s, "localpart", c.values[0]);
  set_value(s, "domain", c.values[1]);
  return SIEVE2_OK;
}

// In the child: runs and writes the decisions; a last line "refused" for an error.
void child(Context& c, int out) {
  sieve2_callback_t callbacks[] = {
      {SIEVE2_ACTION_KEEP, on_keep},         {SIEVE2_ACTION_DISCARD, on_discard},
      {SIEVE2_ACTION_FILEINTO, on_fileinto}, {SIEVE2_ACTION_REDIRECT, on_redirect},
      {SIEVE2_ACTION_REJECT, on_reject},     {SIEVE2_ERRCALL_PARSE, on_error},
      {SIEVE2_ERRCALL_RUNTIME, on_error},    {SIEVE2_SCRIPT_GETSCRIPT, on_script},
      {SIEVE2_MESSAGE_GETHEADER, on_header}, {SIEVE2_MESSAGE_GETENVELOPE, on_envelope},
      {SIEVE2_MESSAGE_GETSIZE, on_size},     {SIEVE2_MESSAGE_GETSUBADDRESS, on_subaddress},
      {SIEVE2_VALUE_FIRST, nullptr}};
  sieve2_context_t* context = nullptr;
  if (sieve2_alloc(&context) != SIEVE2_OK) _exit(1);
  if (sieve2_callbacks(context, callbacks) != SIEVE2_OK) _exit(1);
  const int result = sieve2_execute(context, &c);
  if (c.error || (result != SIEVE2_OK && result != SIEVE2_DONE)) c.out += "refused\n";
  c.out += "end\n";
  _exit(write_all(out, c.out) ? 0 : 1);
}

std::string read_to_end(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

}  // namespace

LibsieveResult run_libsieve(const std::string& script, const std::string& message,
                            const std::string& from, const std::string& to) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(5);  // its :matches is exponential
    Context c{script, message, from, to, {}, false, {}, {}};
    child(c, ends[1]);
  }
  close(ends[1]);
  const auto text = read_to_end(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);

  LibsieveResult result;
  bool ended = false;
  bool refused = false;
  for (const auto line : split(text, '\n')) {
    ended = ended || line == "end";
    refused = refused || line == "refused";
    if (!line.empty() && line != "end" && line != "refused") result.decision.emplace(line);
  }
  // It leaves the implicit keep to its caller.
  if (result.decision.empty()) result.decision.emplace("keep");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && ended)
    result.end = refused ? LibsieveResult::End::refused : LibsieveResult::End::decided;
  return result;
}

}  // namespace postern::sieve
