# Sessions with the store in memory of the unit tests in place of lib/store.
postern_fuzz(lmtp_session ${CMAKE_CURRENT_SOURCE_DIR}/lmtp_session_fuzz.cpp USES postern_lmtpd)
target_sources(fuzz_lmtp_session PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/lmtpd/fake_store.cpp
  ${CMAKE_SOURCE_DIR}/lib/store/provision.cpp ${CMAKE_SOURCE_DIR}/lib/store/scripts.cpp
  ${CMAKE_SOURCE_DIR}/lib/store/fs.cpp ${CMAKE_SOURCE_DIR}/lib/store/format.cpp)
