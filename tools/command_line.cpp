// The command line of `postern`: options of the program, then a command of one or two words. The
// only file that sees CLI11.
#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/command.h"

namespace postern::tools {
namespace {

const std::string kNothing;
const std::vector<std::string> kNoList;

/// One command while the line is parsed.
struct Parsed {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  Arguments arguments;
};

void add_parameter(CLI::App& app, const Parameter& parameter, Arguments& into) {
  using Kind = Parameter::Kind;
  const std::string name(parameter.name);
  const std::string meaning(parameter.meaning);
  auto& values = into.values[name];
  if (parameter.kind == Kind::flag) {
    app.add_flag_callback(
        name, [&values] { values = {"yes"}; }, meaning);
    return;
  }
  CLI::Option* option = app.add_option(name, values, meaning);
  const bool many = parameter.kind == Kind::list || parameter.kind == Kind::rest;
  // A list in CLI11's eyes: without this the first argument takes all the others.
  if (!many) option->expected(1)->allow_extra_args(false);
  option->required(parameter.kind == Kind::argument || parameter.kind == Kind::list);
}

using Groups = std::map<std::string, CLI::App*, std::less<>>;

/// The CLI11 command for the words "user add": "add" below "user".
CLI::App* place_for(CLI::App& root, const Command& command, Groups& groups) {
  const auto space = command.name.find(' ');
  if (space == std::string_view::npos)
    return root.add_subcommand(std::string(command.name), std::string(command.meaning));
  const std::string group(command.name.substr(0, space));
  CLI::App*& parent = groups[group];
  if (!parent) {
    parent = root.add_subcommand(group, "see postern " + group + " --help");
    parent->require_subcommand(1);
  }
  return parent->add_subcommand(std::string(command.name.substr(space + 1)),
                                std::string(command.meaning));
}

void declare(CLI::App& root, std::vector<std::unique_ptr<Parsed>>& all) {
  Groups groups;
  for (const auto& command : commands()) {
    auto parsed = std::make_unique<Parsed>();
    parsed->command = &command;
    parsed->app = place_for(root, command, groups);
    for (const auto& parameter : command.parameters)
      add_parameter(*parsed->app, parameter, parsed->arguments);
    all.push_back(std::move(parsed));
  }
}

int complain(const Error& error) {
  fmt::print(stderr, "postern: {}: {}\n", name_of(error.code), error.text);
  return exit_status(error.code);
}

int execute(Parsed& parsed, const std::string& config, const std::vector<std::string>& settings) {
  std::erase_if(parsed.arguments.values, [](const auto& row) { return row.second.empty(); });
  Context context(config, settings, fmt::format("postern {}", parsed.command->name));
  if (parsed.command->needs == Needs::configuration) {
    const auto prepared = context.prepare();
    if (!prepared) return complain(prepared.error());
  }
  const auto status = parsed.command->run(parsed.arguments, context);
  return status ? *status : complain(status.error());
}

}  // namespace

bool Arguments::has(std::string_view name) const { return values.find(name) != values.end(); }

const std::string& Arguments::text(std::string_view name) const {
  const auto at = values.find(name);
  return at == values.end() ? kNothing : at->second.front();
}

const std::vector<std::string>& Arguments::list(std::string_view name) const {
  const auto at = values.find(name);
  return at == values.end() ? kNoList : at->second;
}

int exit_status(Errc code) {
  switch (code) {
    case Errc::bad_syntax:
    case Errc::not_supported:
      return EX_USAGE;
    case Errc::no_such_user:
      return EX_NOUSER;
    case Errc::no_such_mailbox:
    case Errc::no_such_object:
    case Errc::mailbox_deleted:
    case Errc::expunged:
      return EX_NOINPUT;
    case Errc::mailbox_exists:
    case Errc::has_children:
      return EX_CANTCREAT;
    case Errc::no_permission:
    case Errc::auth_failed:
    case Errc::privacy_required:
      return EX_NOPERM;
    case Errc::over_quota:
    case Errc::limit:
    case Errc::too_big:
    case Errc::corrupt:
    case Errc::conflict:
      return EX_DATAERR;
    case Errc::in_use:
      return EX_TEMPFAIL;
    case Errc::unavailable:
    case Errc::closed:
    case Errc::timed_out:
      return EX_UNAVAILABLE;
    case Errc::io:
      return EX_IOERR;
  }
  return EX_SOFTWARE;
}

int run_command_line(int argc, char** argv) {
  CLI::App root("Administration of a Postern mail server on this host.", "postern");
  std::string config = "/etc/postern/postern.toml";
  std::vector<std::string> settings;
  root.add_option("--config", config, "the configuration file")->capture_default_str();
  root.add_option("--set", settings, "key=value: an option over what the file says")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  root.require_subcommand(1);
  std::vector<std::unique_ptr<Parsed>> all;
  declare(root, all);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  for (const auto& parsed : all)
    if (parsed->app->parsed()) return execute(*parsed, config, settings);
  return EX_USAGE;
}

}  // namespace postern::tools
