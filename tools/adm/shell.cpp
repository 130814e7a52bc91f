#include "tools/adm/shell.h"

// libedit under readline's names: line editing, history, completion.
#include <editline/readline.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>

#include "tools/command.h"

namespace postern::tools {
namespace {

/// One character of a line, with what quotes are open.
class Splitter {
 public:
  void take(char c) {
    if (escaped_) {
      put(c);
      escaped_ = false;
    } else if (c == '\\' && quote_ != '\'') {
      escaped_ = true;
    } else if (quote_ != 0) {
      if (c == quote_)
        quote_ = 0;
      else
        put(c);
    } else if (c == '"' || c == '\'') {
      quote_ = c;
      begun_ = true;
    } else if (c == ' ' || c == '\t') {
      end_word();
    } else if (c == ';') {
      end_command();
    } else {
      put(c);
    }
  }
  Result<std::vector<Words>> finish() && {
    if (quote_ != 0 || escaped_) return fail(Errc::bad_syntax, "a quote without its end");
    end_command();
    return std::move(commands_);
  }

 private:
  void put(char c) {
    word_ += c;
    begun_ = true;
  }
  void end_word() {
    if (begun_) words_.push_back(std::move(word_));
    word_.clear();
    begun_ = false;
  }
  void end_command() {
    end_word();
    if (!words_.empty()) commands_.push_back(std::move(words_));
    words_.clear();
  }

  std::vector<Words> commands_;
  Words words_;
  std::string word_;
  bool begun_ = false;
  bool escaped_ = false;
  char quote_ = 0;
};

/// readline asks for one candidate after the other, `state` 0 first; it frees them.
char* next_command(const char* text, int state) {
  static std::size_t at = 0;
  if (state == 0) at = 0;
  const auto all = adm_commands();
  while (at < all.size()) {
    const auto name = all[at++].name;
    if (name.starts_with(text)) return ::strdup(std::string(name).c_str());
  }
  return nullptr;
}

char** complete(const char* text, int start, int) {
  return start == 0 ? ::rl_completion_matches(text, next_command) : nullptr;
}

/// libedit itself switches the terminal after the prompt is out: a ^D typed in between would be the
/// kernel's, which keeps it as an octet 0 that says nothing.
int take_keys_before_the_prompt() {
  ::rl_prep_terminal(1);
  return 0;
}

std::string history_file() {
  const char* home = std::getenv("HOME");
  return home ? std::string(home) + "/.posternadm_history" : std::string();
}

int complain(std::string_view word, const Error& error) {
  fmt::print(stderr, "posternadm: {}: {}\n", word, error.text);
  return exit_status(error.code);
}

/// The status of the last command; the shell's end is in session.exit_status.
int run_line(AdmSession& session, std::string_view line) {
  const auto commands = split_line(line);
  if (!commands) return complain("line", commands.error());
  for (const auto& words : *commands) {
    const auto done = run_words(session, words);
    if (!done) return complain(words[0], done.error());
    if (session.exit_status) break;
  }
  return 0;
}

int interact_with_terminal(AdmSession& session) {
  const std::string history = history_file();
  ::rl_readline_name = "posternadm";
  ::rl_attempted_completion_function = complete;
  ::rl_pre_input_hook = take_keys_before_the_prompt;
  ::using_history();
  if (!history.empty()) ::read_history(history.c_str());
  int status = 0;
  while (!session.exit_status) {
    const std::string prompt = session.server() + "> ";
    const std::unique_ptr<char, decltype(&std::free)> line(::readline(prompt.c_str()), &std::free);
    if (!line) break;
    if (*line) ::add_history(line.get());
    status = run_line(session, line.get());
  }
  if (!history.empty()) ::write_history(history.c_str());
  return session.exit_status.value_or(status);
}

}  // namespace

Result<std::vector<Words>> split_line(std::string_view line) {
  Splitter splitter;
  for (const char c : line) splitter.take(c);
  return std::move(splitter).finish();
}

Result<void> run_words(AdmSession& session, const Words& words) {
  const AdmCommand* command = find_adm_command(words.at(0));
  if (!command) return fail(Errc::bad_syntax, "no such command; try help");
  const Words arguments(words.begin() + 1, words.end());
  if (arguments.size() < command->least || arguments.size() > command->most)
    return fail(Errc::bad_syntax, "usage: {} {}", command->name, command->usage);
  return command->run(session, arguments);
}

int interact(AdmSession& session) {
  if (::isatty(STDIN_FILENO) == 1) return interact_with_terminal(session);
  std::string line;
  while (!session.exit_status && std::getline(std::cin, line)) {
    const int status = run_line(session, line);
    if (status != 0) return status;
  }
  return session.exit_status.value_or(0);
}

}  // namespace postern::tools
