#!/usr/bin/perl
# Mail::IMAPClient against a server: imapclient.pl HOST PORT USER, prints each claim that holds,
# dies at the first that doesn't.
use strict;
use warnings;
use Mail::IMAPClient;

my ($host, $port, $user) = @ARGV;
my $imap = Mail::IMAPClient->new(
    Server => $host, Port => $port, User => $user, Password => 'pass', Uid => 1, Peek => 1,
) or die "login: $@";

sub holds {
    my ($claim, $true) = @_;
    die "$claim: " . ($imap->LastError // 'wrong answer') . "\n" unless $true;
    print "$claim\n";
}

my @messages = map { "Subject: perl $_\r\nMessage-ID: <$_.perl\@example.net>\r\n\r\nText $_\r\n" } 1 .. 5;
holds('create', $imap->create('Perl Box'));
holds('exists', $imap->exists('Perl Box'));
for my $message (@messages) { holds('append', $imap->append_string('Perl Box', $message)); }
holds('select', $imap->select('Perl Box'));
my @uids = $imap->messages;
holds('five messages', @uids == 5);
holds('byte-exact', $imap->message_string($uids[2]) eq $messages[2]);
holds('size', $imap->size($uids[0]) == length $messages[0]);
holds('headers', $imap->get_header($uids[1], 'Subject') eq 'perl 2');
holds('envelope', $imap->get_envelope($uids[3])->messageid eq '<4.perl@example.net>');
holds('structure', $imap->get_bodystructure($uids[0])->bodytype eq 'TEXT');
holds('flag', $imap->set_flag('Flagged', $uids[0]));
holds('search', "@{$imap->search('FLAGGED')}" eq $uids[0]);
holds('copy', $imap->copy('INBOX', @uids[0, 1]));
holds('move', $imap->move('INBOX', $uids[4]) && $imap->expunge);
holds('four are left', $imap->message_count == 4);
holds('three in INBOX', $imap->message_count('INBOX') == 3);
holds('select another', $imap->select('INBOX'));
holds('rename', $imap->rename('Perl Box', 'Pearl Box'));
holds('idle', defined(my $tag = $imap->idle));
holds('done', $imap->done($tag));
holds('unselect', $imap->close);
holds('delete', $imap->delete('Pearl Box'));
holds('gone', !$imap->exists('Pearl Box'));
holds('logout', $imap->logout);
