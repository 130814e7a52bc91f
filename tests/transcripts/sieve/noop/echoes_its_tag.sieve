# RFC 5804 §2.13: with a string TAG comes back, without one it must not.
given connection 1
1> NOOP
1< OK "Done"
1> noop "STARTTLS-SYNC-42"
1< OK (TAG "STARTTLS-SYNC-42") "Done"
1> NOOP {3+}
1> a"b
1< OK (TAG "a\"b") "Done"
1> NOOP {4+}
1>> a\r\nb\r\n
1< OK (TAG {4}
1< a
1< b) "Done"
1> NOOP "a" "b"
1< NO ...
1> NOOP 5
1< NO ...
