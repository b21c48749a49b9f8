#include "bridge/jobs/endpoint_fault.h"

namespace jobs_bridge {

std::string_view to_string(EndpointFault fault) {
  switch (fault) {
    case EndpointFault::none:
      return "";
    case EndpointFault::name:
      return "name";
    case EndpointFault::connection:
      return "connection";
    case EndpointFault::refused:
      return "refused";
    case EndpointFault::proxy:
      return "proxy";
    case EndpointFault::tls:
      return "tls";
    case EndpointFault::certificate:
      return "certificate";
    case EndpointFault::client_certificate:
      return "client_certificate";
    case EndpointFault::no_credentials:
      return "no_credentials";
    case EndpointFault::not_signed:
      return "not_signed";
    case EndpointFault::signature:
      return "signature";
    case EndpointFault::access:
      return "access";
    case EndpointFault::forbidden:
      return "forbidden";
    case EndpointFault::no_answer:
      return "no_answer";
    case EndpointFault::not_the_api:
      return "not_the_api";
    case EndpointFault::server_error:
      return "server_error";
  }
  return "";
}

std::string_view hint_of(EndpointFault fault) {
  switch (fault) {
    case EndpointFault::none:
      return "";
    case EndpointFault::name:
      return "check the gateway's DNS, endpoint.url and endpoint.region";
    case EndpointFault::connection:
      return "check endpoint.url, the network and any firewall; if this network requires a proxy, "
             "set endpoint.proxy";
    case EndpointFault::refused:
      return "start the server there, or correct the host and the port in endpoint.url";
    case EndpointFault::proxy:
      return "check that the proxy in endpoint.proxy runs, that its host and port are right, and "
             "that it lets the gateway connect to the endpoint";
    case EndpointFault::tls:
      return "check the port in endpoint.url, and that the server there speaks TLS 1.2 or later; "
             "without TLS the URL begins with http://";
    case EndpointFault::certificate:
      return "set endpoint.ca_file if the endpoint's certificate is from a private authority; "
             "otherwise check the host in endpoint.url, and this machine's clock";
    case EndpointFault::client_certificate:
      return "set endpoint.certificate_file and endpoint.private_key_file to a certificate that "
             "the endpoint accepts and its key";
    case EndpointFault::no_credentials:
      return "the cause says what each source lacks: set one of them up (CREDENTIALS.md), or name "
             "another one in credentials.source";
    case EndpointFault::not_signed:
      return "this endpoint requires signatures: set credentials.source to something other than "
             "\"none\"";
    case EndpointFault::signature:
      return "check the credentials, endpoint.region, and this machine's clock";
    case EndpointFault::access:
      return "allow the operation for the devices' things in the policy of the gateway's role or "
             "certificate";
    case EndpointFault::forbidden:
      return "the answer does not come from the Jobs API, which would say why: something in "
             "between refuses the gateway; check endpoint.url, endpoint.proxy, and any load "
             "balancer or firewall in between";
    case EndpointFault::no_answer:
      return "check the network and endpoint.url: the endpoint fails or is slow (then raise "
             "endpoint.answer_timeout), or the server there is not a Jobs endpoint";
    case EndpointFault::not_the_api:
      return "check endpoint.url and endpoint.proxy: the server there is not a Jobs endpoint, "
             "or a load balancer answers in its place";
    case EndpointFault::server_error:
      return "check the endpoint, and any load balancer or proxy before it; at AWS, the service "
             "health page";
  }
  return "";
}

std::string hint_to_allow(std::string_view actions) {
  return "allow " + std::string(actions) +
         " on the devices' things (arn:aws:iot:REGION:ACCOUNT:thing/NAME) in the IAM policy of the "
         "gateway's role or, with a client certificate, in its AWS IoT policy";
}

}  // namespace jobs_bridge
