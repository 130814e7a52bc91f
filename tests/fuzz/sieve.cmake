add_library(sieve_test_support STATIC
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/fake_host.cpp
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/invariants.cpp
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/random_script.cpp)
target_link_libraries(sieve_test_support PUBLIC postern_sieve)
foreach(target script run grammar)
  postern_fuzz(sieve_${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/sieve_${target}_fuzz.cpp
    USES sieve_test_support)
endforeach()
