# RFC 5804 §1.2: BYE where there were too many failed attempts.
given connection 1
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw=="
1< NO "Authentication failed"
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw=="
1< NO "Authentication failed"
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw=="
1< NO "Authentication failed"
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw=="
1< NO "Authentication failed"
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw=="
1< BYE "Too many failed logins"
1! closed
