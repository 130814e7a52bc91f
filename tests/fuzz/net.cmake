postern_fuzz(proxy_protocol ${CMAKE_CURRENT_SOURCE_DIR}/proxy_protocol_fuzz.cpp USES postern_net)
