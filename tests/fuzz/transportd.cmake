postern_fuzz(transport_deflate ${CMAKE_CURRENT_SOURCE_DIR}/transport_deflate_fuzz.cpp
  USES postern_transportd)
