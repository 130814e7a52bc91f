# Build rules shared by all rooms: warnings, hardening, postern_room(), postern_program().
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
  -Wnon-virtual-dtor -Werror)
include_directories(${CMAKE_SOURCE_DIR})

# postern_room(NAME SOURCES… USES targets…): the library postern_NAME from every .cpp of the folder.
function(postern_room name)
  cmake_parse_arguments(ARG "" "" "EXCLUDE;USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp command/*.cpp extension/*.cpp)
  foreach(skip IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/${skip}$")
  endforeach()
  add_library(postern_${name} STATIC ${sources})
  target_link_libraries(postern_${name} PUBLIC ${ARG_USES})
endfunction()

# postern_program(NAME main.cpp USES targets…): an executable in build/<preset>/bin.
function(postern_program name main)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  add_executable(${name} ${main})
  target_link_libraries(${name} PRIVATE ${ARG_USES})
endfunction()

# postern_unit_tests(ROOM USES targets…): one GoogleTest program from tests/unit/ROOM/*_test.cpp,
# one CTest for the whole program (CTest's start-up per case costs more than the cases).
function(postern_unit_tests room)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/*.cpp)
  if(sources)
    add_executable(unit_${room} ${sources})
    target_link_libraries(unit_${room} PRIVATE ${ARG_USES} GTest::gtest_main GTest::gmock)
    add_test(NAME unit.${room} COMMAND unit_${room})
    set_tests_properties(unit.${room} PROPERTIES LABELS unit)
  endif()
endfunction()

# postern_fuzz(NAME file USES targets…): with POSTERN_FUZZ (clang) a libFuzzer target; otherwise a
# player of tests/fuzz/corpus/NAME, so that CTest replays every past crash.
function(postern_fuzz name file)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  if(POSTERN_FUZZ)
    add_executable(fuzz_${name} ${file})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${file} ${CMAKE_SOURCE_DIR}/tests/fuzz/player.cpp)
    add_test(NAME fuzz.${name}
      COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_USES})
endfunction()
