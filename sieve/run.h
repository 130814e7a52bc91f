// One execution of a script for one message and one recipient: the state that statements and tests
// read and change. Nothing outlives it but its Outcome; nothing of it is shared.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "sieve/comparator.h"
#include "sieve/message.h"
#include "sieve/row.h"
#include "sieve/sieve.h"
#include "sieve/variables.h"

namespace postern::sieve {

/// Strings of an argument with their variables expanded. What needs no expansion is not copied.
class Strings {
 public:
  class Iterator {
   public:
    explicit Iterator(const Text* at) : at_(at) {}
    std::string_view operator*() const { return at_->text; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Text* at_;
  };

  /// Of the script, which outlives this.
  explicit Strings(std::span<const Text> constant) : texts_(constant) {}
  explicit Strings(std::vector<Text>&& expanded)
      : expanded_(std::move(expanded)), texts_(expanded_) {}
  static Strings of(std::string text) {
    return Strings(std::vector<Text>{Text{std::move(text), false, {}}});
  }
  Strings(Strings&&) = default;  // a vector's elements stay where they are, so texts_ stays good
  Strings& operator=(Strings&&) = default;
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;
  ~Strings() = default;

  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] Iterator begin() const { return Iterator(texts_.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(texts_.data() + texts_.size()); }

 private:
  std::vector<Text> expanded_;
  std::span<const Text> texts_;
};

/// What belongs to one script of a run: the main one, or an included one.
struct Frame {
  const Script* script = nullptr;
  std::string name;        // empty for the main script
  std::uint32_t root = 0;  // the part that this script takes for the message (RFC 6609 §3.5)
  std::vector<std::uint32_t> loop;  // the current part of each open foreverypart
  std::vector<std::string> loop_names;
  std::optional<std::string> break_name;  // of the loop that a break on its way out means
  Variables variables;
};

class Run {
 public:
  Run(const Script& script, const MessageView& view, Host& host, const Limits& limits,
      Outcome& outcome);

  /// Runs the main script to its end and settles the implicit keep.
  void main();

  // For the statements and tests.
  Result<Flow> block(const std::vector<Code>& code);
  Result<bool> test(const Code& code);
  /// Runs another script inside this run (include).
  Result<Flow> include(std::shared_ptr<const Script> script, std::string name);
  /// @error limit  the run has done too much
  Result<void> spend(std::uint64_t steps = 1) {
    outcome_.steps += steps;
    if (outcome_.steps <= limits_.steps) return {};
    return too_many_steps();
  }

  [[nodiscard]] Frame& frame() { return *frames_.back(); }
  [[nodiscard]] const std::vector<std::unique_ptr<Frame>>& frames() const { return frames_; }
  /// The part that header tests mean: the innermost loop's one for :mime, else the root.
  [[nodiscard]] std::uint32_t current_part();
  Message& message() { return message_; }
  Host& host() { return host_; }
  const Limits& limits() const { return limits_; }
  const EnvelopeView& envelope() const { return view_.envelope; }
  /// Where select_fields() puts what it finds: a rule must not allocate for that.
  std::vector<const Field*>& selected() { return selected_; }
  Outcome& outcome() { return outcome_; }
  [[nodiscard]] bool has(Cap cap) { return frame().script->required.has(cap); }

  std::string expand(const Text& text);
  Strings strings(const Value& value);
  /// The value of a tag with one string; `otherwise` if the tag is not there.
  std::string tag_string(const Code& code, Tag tag, std::string_view otherwise = {});
  std::string arg_string(const Code& code, std::size_t arg);

  /// What class Match says of all the values.
  Result<bool> match(const Code& code, const Value& keys,
                     const std::vector<std::string_view>& values);

  /// Adds an action; `keeps` says that it leaves the implicit keep in force.
  /// @error limit  too many actions
  Result<void> act(const Code& code, Action action, bool keeps);
  void cancel_keep() { implicit_keep_ = false; }
  void note(std::string text) { outcome_.notes.push_back(std::move(text)); }

  /// The set of flags that keep and fileinto use (RFC 5232 §3), in order of their adding.
  std::vector<std::string>& flags() { return flags_; }
  /// What a deleteheader, redirect or others have used up.
  struct Used {
    std::size_t redirects = 0;
    std::size_t notifications = 0;
    std::size_t pipes = 0;
    std::size_t header_edits = 0;
    std::size_t includes = 0;
    bool vacation = false;
    std::uint64_t glob_work = 0;  // attempts of :matches
  };
  Used& used() { return used_; }
  /// Names of scripts that were included, for :once.
  std::set<std::string>& included() { return included_; }
  std::map<std::string, std::shared_ptr<const Script>>& compiled() { return compiled_; }
  bool tracing() { return host_.tracing(); }
  void trace(Position at, std::string_view text) { host_.trace(at.line, text); }

 private:
  void push_frame(const Script& script, std::string name, std::uint32_t root);
  Result<Flow> statement(const Code& code);
  Error too_many_steps() const;
  /// RFC 5429 §2.4: a refused message is neither delivered nor answered.
  Result<void> check_reject(const Action& action);
  static bool carries_message(const Action& action);
  void fail_with(Error error);

  const MessageView& view_;
  Host& host_;
  const Limits& limits_;
  Outcome& outcome_;
  Message message_;
  VariableMap globals_;
  std::size_t variable_octets_ = 0;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::vector<std::shared_ptr<const Script>> holders_;
  bool implicit_keep_ = true;
  std::vector<std::string> flags_;
  Used used_;
  std::set<std::string> included_;
  std::map<std::string, std::shared_ptr<const Script>> compiled_;
  Position at_;  // of the statement that runs, for the error record
  std::string failed_script_;
  std::vector<const Field*> selected_;
};

}  // namespace postern::sieve
