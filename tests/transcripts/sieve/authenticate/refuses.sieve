# RFC 5804 §2.1: an unknown mechanism, a cancelled exchange, wrong passwords quoted and as literals.
given connection 1
1> AUTHENTICATE "NONE-SUCH"
1< NO ...
1> AUTHENTICATE
1< NO ...
1> AUTHENTICATE "PLAIN" "not base64!"
1< NO ...
1> AUTHENTICATE "PLAIN" "AG5vYm9keQB3cm9uZw==" "more"
1< NO ...
1> AUTHENTICATE "PLAIN"
1< ""
1> "*"
1< NO ...
1> AUTHENTICATE "PLAIN" {20+}
1> AG5vYm9keQB3cm9uZw==
1< NO "Authentication failed"
1> authenticate {5+}
1> PLAIN
1< ""
1> {20+}
1> AG5vYm9keQB3cm9uZw==
1< NO "Authentication failed"
1> NOOP
1< OK ...
