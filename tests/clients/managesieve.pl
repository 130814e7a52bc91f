#!/usr/bin/perl
# Net::ManageSieve against a server: managesieve.pl HOST PORT USER PASSWORD, prints each claim that
# holds, dies at the first that doesn't.
use strict;
use warnings;
use Authen::SASL;
use Net::ManageSieve;

my ($host, $port, $user, $password) = @ARGV;
my $good = qq{require ["fileinto"];\r\nfileinto "Junk";\r\n};
my $sieve = Net::ManageSieve->new($host, Port => $port, Timeout => 30, on_fail => sub { undef },
    tls => { mode => 'require', SSL_verify_mode => 0 }) or die "connect: $@";

sub holds {
    my ($claim, $true) = @_;
    die "$claim: " . ($sieve->error // 'wrong answer') . "\n" unless $true;
    print "$claim\n";
}

holds('encrypted', $sieve->encrypted);
# By itself it would take the server's first mechanism only.
my $sasl = Authen::SASL->new(mechanism => 'PLAIN',
    callback => { user => $user, pass => $password, authname => '' });
holds('login', $sieve->login($sasl));
holds('space', $sieve->havespace('main', length $good));
holds('too large', !$sieve->havespace('main', 1 << 30));
holds('put', $sieve->putscript('main', $good));
holds('bad script', !$sieve->putscript('bad', 'fileinto "Junk";'));
holds('activate', $sieve->setactive('main'));
my @scripts = @{$sieve->listscripts};
holds('one script, the active name last', "@scripts" eq 'main main');
holds('get', $sieve->getscript('main') =~ /fileinto "Junk";/);
holds('an active script stays', !$sieve->deletescript('main'));
holds('deactivate', $sieve->setactive(''));
holds('delete', $sieve->deletescript('main'));
holds('logout', $sieve->logout);
