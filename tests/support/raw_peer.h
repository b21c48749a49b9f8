#pragma once

#include <openssl/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"

namespace jobs_bridge::testing_support {

/// The other end of one connection, as a test's script sees it. It says exactly what it is told to
/// say, byte for byte. Used by one thread. Whatever waits gives up after ten seconds.
class PeerConnection {
 public:
  PeerConnection(int socket, std::size_t number);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  /// 0 for the first connection that the peer took, 1 for the next...
  [[nodiscard]] std::size_t number() const { return number_; }
  /// The next request as it came, its body (by Content-Length) included. Empty: the other side
  /// closed, or nothing came.
  std::string read_request();
  /// Blocks until the other side has said something, which stays to be read. Not with TLS.
  void wait_for_data();
  /// Blocks until the other side closes or resets; what it says till then is lost.
  void wait_for_close();
  /// All in one write (and so in one TLS record if short). False: the connection has ended.
  bool send(std::string_view bytes);
  /// So many TLS 1.3 session tickets, as a server may send at any time. False: the connection has
  /// ended.
  bool send_session_tickets(int count);
  /// An orderly end: TLS's close_notify, where there is TLS, and FIN.
  void close();
  /// FIN without TLS's close_notify.
  void close_abruptly();
  /// RST.
  void reset();
  /// Turns a plain connection into a TLS one, as behind a proxy's tunnel. False: it failed.
  bool start_tls(SSL_CTX* context);

  /// What the client said in TLS's Server Name Indication; empty: nothing.
  [[nodiscard]] std::string server_name() const;
  /// Whether the client resumed an earlier TLS session.
  [[nodiscard]] bool resumed() const;
  /// The common name in the client's certificate; empty: it sent none.
  [[nodiscard]] std::string client_name() const;

 private:
  friend class RawPeer;
  /// Ends it from another thread.
  void interrupt();
  /// Bytes read; 0: the end, of whatever kind.
  std::size_t read(char* buffer, std::size_t size);
  void finish(bool with_close_notify);
  /// After a failed handshake: lets the other side read the alert, which a reset would destroy.
  void close_after_alert();

  std::mutex closing_;
  int socket_;
  const std::size_t number_;
  SSL* ssl_ = nullptr;
  std::string unread_;
};

/// A server on a free loopback port that runs a script of the test for each connection it takes,
/// each on a thread of its own. The connection closes when its script returns.
///
/// The process must ignore SIGPIPE: constructing a RawPeer sees to that.
class RawPeer {
 public:
  using Script = std::function<void(PeerConnection&)>;
  struct Options {
    std::string address = "127.0.0.1";  ///< or another of 127/8, or "::1"
    std::uint16_t port = 0;             ///< 0: a free one
    CertificateFiles tls = {};          ///< empty: plain TCP
    std::string client_ca_file = {};    ///< non-empty: the client must present a certificate
    bool only_tls_1_1 = false;
    bool only_tls_1_2 = false;
    bool resumes_tls_sessions = true;
    bool small_receive_buffer = false;  ///< so that it takes little to stall a sender
  };

  explicit RawPeer(Script script);
  RawPeer(Options options, Script script);
  /// Ends all connections and waits for the scripts to return.
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& address() const { return options_.address; }
  /// Further connections are refused; those there are go on. Any thread may call it.
  void refuse_more();
  /// How many connections it has taken.
  [[nodiscard]] std::size_t connections() const { return connections_; }
  /// The server side of TLS with these options, for start_tls; null without options.tls.
  [[nodiscard]] SSL_CTX* tls_context() const { return context_.get(); }

 private:
  void listen();
  void accept_all();
  void serve(PeerConnection& connection);

  const Options options_;
  const Script script_;
  std::shared_ptr<SSL_CTX> context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> connections_{0};
  std::mutex mutex_;
  bool ending_ = false;
  std::vector<std::unique_ptr<PeerConnection>> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A port on 127.0.0.1 that neither accepts nor refuses: connecting to it hangs, as to a host that
/// a firewall hides.
class SilentPort {
 public:
  SilentPort();
  ~SilentPort();
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  /// They fill the queue of connections that are not accepted.
  std::vector<int> fillers_;
};

/// An answer with the Content-Length that its body has.
std::string http_answer(std::string_view body, std::string_view status = "200 OK",
                        std::string_view more_headers = "");

/// A server side of TLS; throws std::runtime_error if the files are no good.
std::shared_ptr<SSL_CTX> server_tls(const RawPeer::Options& options);

/// What one thread waits for and another lets happen.
class Gate {
 public:
  void open();
  /// False: it did not open within ten seconds.
  bool wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace jobs_bridge::testing_support
