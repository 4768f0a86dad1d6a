# data/fingerprints/*.yaml as text within the program: one binary, nothing to install beside it. FILE names the
# source that is made.
function(weir_fingerprints file)
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/data/fingerprints/*.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inputs})
  set(entries "")
  foreach(input IN LISTS inputs)
    get_filename_component(name ${input} NAME)
    file(READ ${input} text)
    string(APPEND entries "    {\"${name}\", R\"weir(${text})weir\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT [[
#include "probe/fingerprints.hpp"

namespace weir {
namespace {
constexpr FingerprintFile files[] = {
@entries@};
}  // namespace

std::span<const FingerprintFile> Fingerprints::built_in_files() noexcept {
  return files;
}

}  // namespace weir
]])
endfunction()
