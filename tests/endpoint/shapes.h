#pragma once

#include "tests/endpoint/instant.h"
#include "tests/endpoint/job.h"
#include "tests/endpoint/store.h"

namespace jobs_endpoint {

/// JobExecution of the data plane. `startedAt`, `statusDetails` and
/// `approximateSecondsBeforeTimedOut` are left out while they are unset; the document is a string.
[[nodiscard]] Json execution_shape(const Execution& execution, const Store& store,
                                   bool with_document, Instant now);
/// JobExecutionSummary.
[[nodiscard]] Json execution_summary_shape(const Execution& execution);
/// JobExecutionState.
[[nodiscard]] Json execution_state_shape(const Execution& execution);
/// Job, of the control plane: its stamps have a fraction.
[[nodiscard]] Json job_shape(const Job& job);
/// JobSummary, of the control plane.
[[nodiscard]] Json job_summary_shape(const Job& job);
/// JobExecutionSummaryForJob, of the control plane.
[[nodiscard]] Json execution_summary_for_job_shape(const Execution& execution);

}  // namespace jobs_endpoint
