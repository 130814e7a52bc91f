// All commands of `postern`, with their parameters.
#include <array>

#include "tools/command/commands.h"

namespace postern::tools {
namespace {

using Kind = Parameter::Kind;

constexpr Parameter kMailboxes{"mailbox", Kind::rest, "mailboxes; none means all"};
constexpr Parameter kRecursive{"--recursive", Kind::flag, "each with its inferiors"};
constexpr Parameter kUser{"user", Kind::argument, "name or name@domain"};
constexpr Parameter kUsers{"user", Kind::list, "names or name@domain"};
constexpr Parameter kJson{"--json", Kind::flag, "one JSON object a line"};

constexpr std::array kBackup{
    Parameter{"directory", Kind::argument, "a new or empty directory on the server's host"}};
constexpr std::array kCheck{
    kMailboxes, kRecursive,
    Parameter{"--full", Kind::flag, "read every message file and compare its digest"},
    Parameter{"--repair", Kind::flag, "repair what can be repaired, online"}, kJson};
constexpr std::array kExpire{
    Parameter{"--all", Kind::flag, "look at every mailbox, not only at those with something due"}};
constexpr std::array kReconstruct{Parameter{"mailbox", Kind::list, "mailboxes"}, kRecursive};
constexpr std::array kRebuildList{
    Parameter{"--dry-run", Kind::flag, "say what would be restored, change nothing"}};
constexpr std::array kMailboxList{Parameter{"mailbox", Kind::rest, "roots to list; none means all"},
                                  Parameter{"--acl", Kind::flag, "with access control lists"},
                                  kJson};
constexpr std::array kMailboxPath{Parameter{"mailbox", Kind::list, "mailboxes"}};
constexpr std::array kQuotaList{Parameter{"root", Kind::rest, "quota roots; none means all"},
                                kJson};
constexpr std::array kQuotaSet{
    Parameter{"root", Kind::argument, "a mailbox; the quota counts for all below it too"},
    Parameter{"limit", Kind::rest,
              "storage=10GiB message=100000 mailbox=500 annotation=1MiB; none removes the root"}};
constexpr std::array kSieveCheck{Parameter{"script", Kind::list, "scripts"}};
constexpr Parameter kScriptName{"name", Kind::argument, "a script's name"};
constexpr std::array kSieveActivate{
    kUser, Parameter{"name", Kind::optional, "a script's name; none deactivates"}};
constexpr std::array kSieveAddresses{
    kUser, Parameter{"--replace", Kind::flag, "by standard input, one address a line"}};
constexpr std::array kSieveFilter{
    kUser,
    Parameter{"mailbox", Kind::argument, "as the user's client shows it"},
    Parameter{"--script", Kind::value, "a file; else the user's active script"},
    Parameter{"--dry-run", Kind::flag, "say what would be done, change nothing"},
    Parameter{"--expunge", Kind::flag, "what is discarded goes for good, not only \\Deleted"},
    kJson};
constexpr std::array kSieveList{kUser, kJson};
constexpr std::array kSieveOne{kUser, kScriptName};
constexpr std::array kSievePut{
    kUser, kScriptName, Parameter{"file", Kind::optional, "the script; standard input without it"},
    Parameter{"--activate", Kind::flag, "make it the active one"}};
constexpr std::array kSieveTest{
    Parameter{"script", Kind::argument, "the script"},
    Parameter{"--message", Kind::value, "the message's file; standard input without it"},
    Parameter{"--envelope-from", Kind::value, "sender, <> for the null one; else Return-Path"},
    Parameter{"--envelope-to", Kind::value, "recipient; else the user, else Delivered-To"},
    Parameter{"--user", Kind::value, "whose script it is"},
    Parameter{"--mailboxes", Kind::value, "those that exist besides INBOX, with commas"},
    Parameter{"--trace", Kind::flag, "each command and test with its line, on standard error"},
    kJson};
constexpr std::array kSnoozeWake{
    Parameter{"--all", Kind::flag, "also those whose time has not come"}};
constexpr std::array kUserAdd{
    kUsers, Parameter{"--no-mailboxes", Kind::flag, "the password only, no INBOX"}};
constexpr std::array kUserDelete{kUser,
                                 Parameter{"--mailboxes", Kind::flag, "the user's mailboxes too"}};
constexpr std::array kOneUser{kUser};
constexpr std::array kWho{Parameter{"user", Kind::optional, "only this user's sessions"}, kJson};

constexpr std::span<const Parameter> kNone;

constexpr std::array kCommands{
    Command{"backup", "Hot backup of the metadata", kBackup, backup},
    Command{"check", "Verify mailboxes; status 65 if something is damaged", kCheck, check},
    Command{"config check", "Verify the configuration", kNone, config_check},
    Command{"config manual", "Print the manual of all options", kNone, config_manual,
            Needs::nothing},
    Command{"config show", "Print every option with its value in force", kNone, config_show},
    Command{"expire", "Remove what was deleted longer ago than store.expunge_keep", kExpire,
            expire},
    Command{"kick", "End all sessions of a user", kOneUser, kick},
    Command{"mailbox list", "The mailboxes list", kMailboxList, mailbox_list},
    Command{"mailbox path", "The directories of mailboxes", kMailboxPath, mailbox_path},
    Command{"quota list", "Quota roots with usage and limits", kQuotaList, quota_list},
    Command{"quota set", "Set exactly these limits on a quota root", kQuotaSet, quota_set},
    Command{"rebuild-list", "Restore the mailboxes list from the spool's headers", kRebuildList,
            rebuild_list},
    Command{"reconstruct", "Build the index of mailboxes anew", kReconstruct, reconstruct},
    Command{"sieve activate", "Make a script the one that runs at delivery", kSieveActivate,
            sieve_activate},
    Command{"sieve addresses", "The address book that scripts see as :addrbook:default",
            kSieveAddresses, sieve_addresses},
    Command{"sieve check", "Errors of Sieve scripts as file:line:column: text", kSieveCheck,
            sieve_check, Needs::nothing},
    Command{"sieve delete", "Remove a user's script", kSieveOne, sieve_delete},
    Command{"sieve filter", "Run a script over the messages of a mailbox", kSieveFilter,
            sieve_filter, Needs::nothing},
    Command{"sieve get", "Print a user's script", kSieveOne, sieve_get},
    Command{"sieve list", "Scripts of a user: size, name, which one is active", kSieveList,
            sieve_list},
    Command{"sieve put", "Store a script for a user, unless it has errors", kSievePut, sieve_put,
            Needs::nothing},
    Command{"sieve test", "What a Sieve script would do with a message", kSieveTest, sieve_test,
            Needs::nothing},
    Command{"snooze list", "Snoozed messages: their time, their user, where they go", kNone,
            snooze_list},
    Command{"snooze wake", "Bring back snoozed messages whose time has come", kSnoozeWake,
            snooze_wake},
    Command{"user add", "Make users; the password is read from standard input", kUserAdd, user_add},
    Command{"user del", "Take a user's password away and end the sessions", kUserDelete,
            user_delete},
    Command{"user list", "Users with a password", kNone, user_list},
    Command{"user passwd", "Change a password, read from standard input", kOneUser, user_passwd},
    Command{"who", "Sessions: service, user, address, mailbox, state", kWho, who},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace postern::tools
