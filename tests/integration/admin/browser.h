#pragma once

#include <optional>
#include <string>
#include <vector>

namespace jobs_bridge::testing_support {

/// The name of the Chromium on this machine; nothing if there is none.
std::optional<std::string> find_chromium();

struct BrowserRun {
  std::string output;  ///< with --dump-dom: the page as it was at the end
  bool ended_well = false;
};

/// Opens a page without a window, lets six seconds of its own clock pass, which run faster than
/// ours, and ends. `options` come in addition; the profile is a directory that goes afterwards.
BrowserRun browse(const std::string& chromium, const std::string& url,
                  const std::vector<std::string>& options);

/// The text that a person would read, without the script and the style; blanks squeezed.
std::string visible_text(const std::string& html);

}  // namespace jobs_bridge::testing_support
