#pragma once

#include "tests/endpoint/route.h"
#include "tests/endpoint/store.h"

namespace jobs_endpoint {

struct OperationOptions {
  /// Names of things that no job was ever created for are not found.
  bool strict_things = false;
  /// Describing an execution in a terminal state is answered with TerminalStateException.
  bool reject_terminal_describe = false;
};

/// Carries out one call on the store: the request's members are checked first, so a call that
/// throws has changed nothing. Returns what the answer's body
/// holds; throws ServiceError.
[[nodiscard]] Json carry_out_data_plane(const Route& route, const std::string& body, Store& store,
                                        const OperationOptions& options, Instant now);
/// The same for the control plane. Null: the answer has no body.
[[nodiscard]] Json carry_out_control_plane(const Route& route, const std::string& body,
                                           Store& store, Instant now);

/// ListJobs and ListJobExecutionsForJob, a page at a time.
[[nodiscard]] Json list_jobs(const Route& route, Store& store, Instant now);
[[nodiscard]] Json list_job_executions(const Route& route, Store& store, Instant now);

}  // namespace jobs_endpoint
