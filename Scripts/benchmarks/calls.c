// Makes unary gRPC calls on Unix sockets, each once, from a file of them: h2load sends the same call again and again, and a
// question that is asked again is not stored again.
//
// Usage: calls SOCKET PATH HEADER CONNECTIONS IN_FLIGHT FILE [ANSWERS|- [PAUSE]]
//
// FILE holds, for each call, a value for HEADER (none if it is empty) and the request in gRPC's framing, each behind its
// length (32 bits, little endian). IN_FLIGHT calls are under way on each connection. Prints a line of JSON: seconds, CPU
// seconds of this process, the median and 99 % latency in µs, and how many failed with the status and the message of the
// first. ANSWERS receives the messages that answered, in the order of the calls, each behind its length. With a PAUSE, as
// many µs pass between what was read and what is sent next. On SIGTERM no more calls begin.
#include <errno.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PREFIX = 5, MOST_CONNECTIONS = 64, READ_SIZE = 1 << 18, WINDOW = 1 << 28 };

struct call {
  const uint8_t *token, *body;
  uint32_t token_length, body_length, sent;
  uint64_t started;
  uint32_t took;  // µs
  int8_t status;  // gRPC's; -1: none came
  uint8_t *answer;
  uint32_t answer_length;
};

struct connection {
  int fd;
  nghttp2_session *session;
  const uint8_t *unsent;
  size_t unsent_length;
};

static struct call *calls;
static size_t call_count, next_call, finished, failed;
static const char *path, *header;
static int keeps_answers;
static volatile sig_atomic_t is_over;
static char first_failure[512], message[512];

static void fail(const char *what) {
  fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void end(int signal) {
  (void)signal;
  is_over = 1;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *data) {
  struct call *call = source->ptr;
  (void)session, (void)stream, (void)data;
  if (call->sent == 0) call->started = now();
  size_t rest = call->body_length - call->sent;
  if (length >= rest) {
    length = rest;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  memcpy(buffer, call->body + call->sent, length);
  call->sent += length;
  return (ssize_t)length;
}

#define FIELD(n, v, vl) {(uint8_t *)(n), (uint8_t *)(v), strlen(n), (vl), \
                         NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}

static void start(struct connection *connection) {
  if (is_over || next_call == call_count) return;
  struct call *call = &calls[next_call++];
  nghttp2_nv fields[] = {
      FIELD(":method", "POST", 4), FIELD(":scheme", "http", 4), FIELD(":path", path, strlen(path)),
      FIELD(":authority", "localhost", 9), FIELD("content-type", "application/grpc", 16), FIELD("te", "trailers", 8),
      FIELD(header, call->token, call->token_length)};
  nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_body};
  call->status = -1;
  size_t count = sizeof fields / sizeof *fields - (call->token_length == 0);
  if (nghttp2_submit_request(connection->session, NULL, fields, count, &body, call) < 0) fail("a call can't be made");
}

static int received_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                           const uint8_t *value, size_t value_length, uint8_t flags, void *data) {
  struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  (void)flags, (void)data;
  if (call && name_length == 11 && !memcmp(name, "grpc-status", 11)) call->status = (int8_t)atoi((const char *)value);
  if (name_length == 12 && !memcmp(name, "grpc-message", 12))
    snprintf(message, sizeof message, "%.*s", (int)value_length, (const char *)value);
  return 0;
}

static int received_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t length,
                         void *data) {
  (void)flags, (void)data;
  struct call *call = nghttp2_session_get_stream_user_data(session, stream);
  if (!call) return 0;
  if (keeps_answers) {
    call->answer = realloc(call->answer, call->answer_length + length);
    if (!call->answer) fail("memory");
    memcpy(call->answer + call->answer_length, bytes, length);
  }
  call->answer_length += length;
  return 0;
}

static int closed(nghttp2_session *session, int32_t stream, uint32_t code, void *data) {
  struct call *call = nghttp2_session_get_stream_user_data(session, stream);
  if (!call) return 0;
  call->took = (uint32_t)(now() - call->started);
  if (code != 0 || call->status != 0 || call->answer_length < PREFIX) {
    if (failed++ == 0) snprintf(first_failure, sizeof first_failure, "status %d: %.400s", call->status, message);
  }
  finished++;
  start(data);
  return 0;
}

static void open_connection(const char *socket_path, struct connection *self, unsigned in_flight) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
  self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (self->fd < 0 || connect(self->fd, (struct sockaddr *)&address, sizeof address)) fail(socket_path);
  if (fcntl(self->fd, F_SETFL, O_NONBLOCK)) fail("fcntl");
  nghttp2_session_callbacks *callbacks;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, received_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, received_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closed);
  if (nghttp2_session_client_new(&self->session, callbacks, self)) fail("nghttp2");
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}};
  nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(self->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
  for (unsigned i = 0; i < in_flight; i++) start(self);

}

// Writes what there is to write, until the socket takes no more.
static void write_out(struct connection *self) {
  static uint8_t buffer[1 << 17];  // many frames a call of write
  for (;;) {
    size_t filled = 0;
    while (filled < sizeof buffer) {
      if (self->unsent_length == 0) {
        ssize_t got = nghttp2_session_mem_send(self->session, &self->unsent);
        if (got < 0) fail("nghttp2");
        self->unsent_length = (size_t)got;
        if (got == 0) break;
      }
      size_t length = self->unsent_length;
      if (filled + length > sizeof buffer) length = sizeof buffer - filled;
      memcpy(buffer + filled, self->unsent, length);
      filled += length, self->unsent += length, self->unsent_length -= length;
    }
    for (size_t written = 0; written < filled;) {
      ssize_t got = write(self->fd, buffer + written, filled - written);
      if (got > 0) {
        written += (size_t)got;
      } else if (errno == EAGAIN) {
        struct pollfd room = {self->fd, POLLOUT, 0};
        poll(&room, 1, 1000);
      } else if (errno != EINTR) {
        fail("write");
      }
    }
    if (filled < sizeof buffer) return;
  }
}

static void read_in(struct connection *self) {
  static uint8_t buffer[READ_SIZE];
  ssize_t got = read(self->fd, buffer, sizeof buffer);
  if (got == 0) {
    errno = ECONNRESET;
    fail("the server closed the connection");
  }
  if (got < 0 && errno != EAGAIN && errno != EINTR) fail("read");
  if (got > 0 && nghttp2_session_mem_recv(self->session, buffer, (size_t)got) != got) fail("what was read is not HTTP/2");
}

static void read_calls(const char *file) {
  int fd = open(file, O_RDONLY);
  struct stat about;
  if (fd < 0 || fstat(fd, &about)) fail(file);
  const uint8_t *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (at == MAP_FAILED) fail(file);
  size_t room = 0;
  for (const uint8_t *end = at + about.st_size; at < end;) {
    if (call_count == room) {
      room = room ? room * 2 : 1024;
      calls = realloc(calls, room * sizeof *calls);
      if (!calls) fail("memory");
    }
    struct call *call = &calls[call_count++];
    memset(call, 0, sizeof *call);
    memcpy(&call->token_length, at, 4), call->token = at + 4, at += 4 + call->token_length;
    memcpy(&call->body_length, at, 4), call->body = at + 4, at += 4 + call->body_length;
  }
}

static void write_answers(const char *file) {
  FILE *output = fopen(file, "wb");
  if (!output) fail(file);
  for (size_t i = 0; i < call_count; i++) {
    uint32_t length = calls[i].answer_length < PREFIX ? 0 : calls[i].answer_length - PREFIX;
    fwrite(&length, 4, 1, output);
    fwrite(calls[i].answer + (length ? PREFIX : 0), 1, length, output);
  }
  if (fclose(output)) fail(file);
}

static int compare(const void *a, const void *b) {
  uint32_t one = ((const struct call *)a)->took, other = ((const struct call *)b)->took;
  return (one > other) - (one < other);
}

int main(int count, char **arguments) {
  if (count < 7) {
    fprintf(stderr, "usage: calls SOCKET PATH HEADER CONNECTIONS IN_FLIGHT FILE [ANSWERS]\n");
    return 2;
  }
  path = arguments[2], header = arguments[3], keeps_answers = count > 7 && strcmp(arguments[7], "-");
  useconds_t pause = count > 8 ? (useconds_t)atoi(arguments[8]) : 0;
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL);
  int connections = atoi(arguments[4]), in_flight = atoi(arguments[5]);
  if (connections < 1 || connections > MOST_CONNECTIONS || in_flight < 1) return 2;
  read_calls(arguments[6]);
  static struct connection all[MOST_CONNECTIONS];
  struct pollfd polled[MOST_CONNECTIONS];
  uint64_t began = now();
  for (int i = 0; i < connections; i++) {
    open_connection(arguments[1], &all[i], (unsigned)in_flight);
    polled[i] = (struct pollfd){all[i].fd, POLLIN, 0};
    write_out(&all[i]);
  }
  while (finished < (is_over ? next_call : call_count)) {
    int ready = poll(polled, (nfds_t)connections, 60000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      errno = ETIMEDOUT;
      fail("no answer");
    }
    for (int i = 0; i < connections; i++) {
      if (!polled[i].revents) continue;
      read_in(&all[i]);
      if (pause) usleep(pause);
      write_out(&all[i]);
    }
  }
  call_count = next_call;
  uint64_t took = now() - began;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  if (keeps_answers) write_answers(arguments[7]);
  qsort(calls, call_count, sizeof *calls, compare);
  for (char *c = first_failure; *c; c++)
    if (*c == '"' || *c == '\\' || *c < ' ') *c = ' ';
  printf("{\"calls\": %zu, \"seconds\": %.6f, \"cpu\": %.6f, \"median\": %u, \"p99\": %u, \"longest\": %u, "
         "\"failed\": %zu, \"first_failure\": \"%s\"}\n",
         call_count, (double)took / 1e6,
         (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
         call_count ? calls[call_count / 2].took : 0, call_count ? calls[call_count * 99 / 100].took : 0,
         call_count ? calls[call_count - 1].took : 0, failed, first_failure);
  return 0;
}
