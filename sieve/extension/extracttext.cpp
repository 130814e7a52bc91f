// extracttext (RFC 5703 §7): the current part's text into a variable.
#include "sieve/functions.h"
#include "sieve/set_modifiers.h"
#include "sieve/utf8.h"

namespace postern::sieve {

void check_extracttext(Checker& checker, Code& code) {
  if (!checker.has(Cap::variables))
    checker.error(code.at, "'extracttext' needs: require \"variables\";");
  if (checker.loops().empty()) checker.error(code.at, "'extracttext' outside of 'foreverypart'");
  check_set(checker, code);
}

Result<Flow> run_extracttext(Run& run, const Code& code) {
  const auto number = run.current_part();
  std::string text;
  if (run.message().structure().parts[number].type == "text") text = run.message().decoded(number);
  TRY(run.spend(1 + text.size() / 4096));
  if (const Value* first = code.find(Tag::first)) {
    std::size_t end = 0;
    for (std::uint64_t n = 0; n < first->number && end < text.size(); ++n)
      end += utf8_length(std::string_view(text).substr(end));
    text.resize(end);
  }
  const auto name = parse_variable_name(code.args.front().strings.front().text);
  TRY(run.frame().variables.set(name, modify(code, std::move(text))));
  return Flow::next;
}

}  // namespace postern::sieve
