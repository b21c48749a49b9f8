#pragma once

#include <vector>

#include "bridge/jobs/http.h"
#include "bridge/jobs/json_text.h"
#include "bridge/jobs/rejection.h"

namespace jobs_bridge {

/// What an AWS error answer means to a device. The error's name is looked for where the AWS SDKs
/// look (header x-amzn-ErrorType, then the body's `code`, then `__type`); `members` are those of
/// the body, empty if it is no JSON object. A fault that may pass (5xx) or that is the gateway's
/// own (credentials, wrong endpoint) is InternalError, which devices repeat, and never
/// InvalidRequest or ResourceNotFound, upon which they give the job up.
Rejection read_aws_error(const HttpResponse& response,
                         const std::vector<json_text::Member>& members);

/// What the error of an enveloped answer (`{"success":false,"error":{"code","message"}}`) means.
/// The code counts whatever the HTTP status, but for 429, which throttles, and 401 and 403, which
/// refuse the gateway: their text may name its account and stays here. Any other message is passed
/// on.
Rejection read_enveloped_error(const HttpResponse& response,
                               const std::vector<json_text::Member>& members);

/// Whether the endpoint does not take what the request was signed with, or who we say we are: it
/// would refuse any other request alike, until the gateway's credentials, certificate or clock are
/// put right. A thing that the gateway may not act for (AccessDeniedException) is another matter.
bool refuses_credentials(const HttpOutcome& outcome);

/// Whether the gateway may not do this: with the credentials that it has, and with fresh ones.
bool denies_access(const HttpOutcome& outcome);

/// What it means that there was no answer.
Rejection no_answer(const HttpFailure& failure);

}  // namespace jobs_bridge
