# Writes INPUT as a C++ source to OUTPUT. In pieces, since a string literal has a limit that
# -Wpedantic holds compilers to.
file(READ ${INPUT} rest)
string(LENGTH "${rest}" length)
set(limit 40000)
if(length GREATER limit)
  message(FATAL_ERROR "${INPUT} has ${length} characters, more than ${limit}")
endif()
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${rest}" ${at} 12000 piece)
  string(APPEND pieces "    R\"~page~(${piece})~page~\",\n")
  math(EXPR at "${at} + 12000")
endwhile()
file(WRITE ${OUTPUT} "#include \"adapters/admin/pages.h\"

#include <initializer_list>

namespace jobs_bridge::admin {

const std::string& dashboard_page() {
  static const std::string page = [] {
    std::string text;
    for (const char* piece : {
${pieces}}) {
      text += piece;
    }
    return text;
  }();
  return page;
}

}  // namespace jobs_bridge::admin
")
