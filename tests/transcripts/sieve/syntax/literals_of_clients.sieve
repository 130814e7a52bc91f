# RFC 5804 §4: a client's literal is {n+}; {n} without + is no string. A wrong command is read to its
# end, so that the next one is found.
given connection 1 as anna
1> PUTSCRIPT "a" {5}
1< NO ...
1> NOOP
1< OK "Done"
1> PUTSCRIPT keep {5+}
1> keep;
1< NO ...
1> NOOP "unclosed
1< NO ...
1> NOOP "\a"
1< OK (TAG "a") "Done"
1> {4+}
1> NOOP
1< NO ...
1> NOOP
1< OK "Done"
1> 
1< NO ...
1>> NOOP "a"\r\nNOOP "b"\r\n
1< OK (TAG "a") "Done"
1< OK (TAG "b") "Done"
