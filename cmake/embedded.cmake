# FOLDER/*.yaml as text within the program: one binary, nothing to install beside it. FILE names the source that is
# made; it defines FUNCTION, which gives all of them as TYPEs {name, text}, and which HEADER declares.
function(weir_embedded file folder header type function)
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inputs})
  set(entries "")
  foreach(input IN LISTS inputs)
    get_filename_component(name ${input} NAME)
    file(READ ${input} text)
    string(APPEND entries "    {\"${name}\", R\"weir(${text})weir\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT [[
#include "@header@"

namespace weir {
namespace {
constexpr @type@ files[] = {
@entries@};
}  // namespace

std::span<const @type@> @function@() noexcept {
  return files;
}

}  // namespace weir
]])
endfunction()
