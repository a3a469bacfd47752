// A load of many downloads at once, slow ones and fast ones, on a small part of one core.
//
//   cc -O2 -o slow slow.c
//   ./slow --port 8080 --from 5 --to 20
//     --class name=slow,clients=8000,rate=1024,every=500,receive=4096,segment=1460,path=/big.bin
//     --class name=fast,clients=10,rate=20000000,every=2,path=/big.bin
//
// Words of a class: `clients`; `sockets` of each client, one number or `1-40` (spread evenly over the
// clients); `rate` in bytes per second and socket, none is no limit; `every`, how often a limited
// socket reads, in ms; `receive`, SO_RCVBUF in bytes, so that the kernel does not take in what the
// client is slow to read; `segment`, TCP_MAXSEG in bytes, because a server's kernel sizes the send
// buffer by segments, and those of loopback have 64 KiB; `address`, the source of the first client,
// the next one has the next; `path`.
//
// First all sockets connect, without a request; `--hold` waits for a line on standard input then. Each
// socket asks for its path again and again (keep-alive). Bytes of bodies are counted from second
// --from to --to after the first request. Every step is a line of JSON on standard output; the last
// one has the figures.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { MAX_CLASSES = 8, MAX_SECONDS = 600, WHEEL_SLOTS = 1024, HEAD_BYTES = 8192, CONNECTING_AT_ONCE = 64 };
/** The most that is taken from an unlimited socket before the others have their turn. */
enum { QUANTUM_BYTES = 1 << 20 };
/** What a limited socket may catch up with: a stall of this program is not the server's. */
static const double BURST_MS = 100;
/** The first requests are spread over this time. */
static const int RAMP_MS = 1000;

struct class {
  char name[32];
  char path[256];
  char request[512];
  int clients, sockets_low, sockets_high, receive, segment, every_ms;
  double rate;
  uint32_t address; // in the host's order; 0 lets the kernel choose
  int first_client, socket_count, last_status;
  uint64_t answers, connect_errors, closed, resets, bad_answers;
  uint64_t seconds[MAX_SECONDS]; // bytes of all clients in each second since the first request
};

struct client {
  struct class *class;
  uint64_t bytes, at_from, at_to, at_second, worst_second;
};

enum state { CONNECTING, IDLE, HEAD, BODY, DEAD };

struct stream {
  int fd;
  enum state state;
  bool last; // the answer said that the connection ends with it
  struct client *client;
  uint64_t remaining, paid_us;
  double budget;
  struct stream *next_due;
};

static struct class classes[MAX_CLASSES];
static struct client *clients;
static struct stream *streams;
static int second_count;
static int class_count, client_count, stream_count, next_to_connect, connecting, connected, epoll_fd;
static struct stream *wheel[WHEEL_SLOTS];
static uint64_t wheel_ms;
static struct sockaddr_in target = {.sin_family = AF_INET};
static bool started;
static char scratch[QUANTUM_BYTES];

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/** Have a stream looked at after some ms, fewer than the wheel has slots. */
static void put_on_wheel(struct stream *stream, int in_ms) {
  struct stream **slot = &wheel[(wheel_ms + (uint64_t)(in_ms < 1 ? 1 : in_ms)) % WHEEL_SLOTS];
  stream->next_due = *slot;
  *slot = stream;
}

static void watch(struct stream *stream, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = stream};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, stream->fd, &event) == 0) return;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, stream->fd, &event) < 0) refuse("epoll_ctl: %m");
}

static void end_stream(struct stream *stream) {
  // A reset, so that thousands of ports do not wait for a minute (RFC 9293, 3.6.1).
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(stream->fd);
  stream->fd = -1;
  stream->state = DEAD;
}

static void set_option(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) < 0) refuse("setsockopt: %m");
}

static void begin_connect(struct stream *stream) {
  struct class *class = stream->client->class;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) refuse("Cannot open a socket: %m (%d are open)", connected);
  if (class->receive > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, class->receive);
  if (class->segment > 0) set_option(fd, IPPROTO_TCP, TCP_MAXSEG, class->segment);
  if (class->address != 0) {
    uint32_t index = (uint32_t)(stream->client - clients - class->first_client);
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(class->address + index);
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) refuse("bind: %m");
  }
  stream->fd = fd;
  stream->state = CONNECTING;
  connecting++;
  if (connect(fd, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS) {
    class->connect_errors++;
    connecting--;
    end_stream(stream);
    return;
  }
  watch(stream, EPOLLOUT);
}

static void ask(struct stream *stream) {
  struct class *class = stream->client->class;
  ssize_t length = (ssize_t)strlen(class->request);
  if (send(stream->fd, class->request, (size_t)length, MSG_NOSIGNAL) != length) {
    class->resets++;
    end_stream(stream);
    begin_connect(stream);
    return;
  }
  stream->state = HEAD;
}

/** The first request of a connection. */
static void begin(struct stream *stream) {
  struct class *class = stream->client->class;
  ask(stream);
  if (stream->state != HEAD) return;
  stream->budget = 0;
  stream->paid_us = now_us();
  if (class->rate > 0) put_on_wheel(stream, class->every_ms);
  else watch(stream, EPOLLIN);
}

static void finish_connect(struct stream *stream) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  connecting--;
  if (error != 0) {
    stream->client->class->connect_errors++;
    end_stream(stream);
    return;
  }
  connected++;
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, stream->fd, NULL);
  stream->state = IDLE;
  if (started) begin(stream);
}

/** The server has ended the connection, in good order or not: ask again on a new one. */
static void connect_again(struct stream *stream, bool in_order) {
  struct class *class = stream->client->class;
  if (in_order) class->closed++;
  else class->resets++;
  end_stream(stream);
  begin_connect(stream);
}

/** Returns whether there may be more to take. */
static bool take_head(struct stream *stream) {
  struct class *class = stream->client->class;
  char head[HEAD_BYTES + 1];
  ssize_t count = recv(stream->fd, head, HEAD_BYTES, MSG_PEEK);
  if (count < 0 && errno == EAGAIN) return false;
  if (count <= 0) {
    connect_again(stream, count == 0);
    return false;
  }
  head[count] = 0;
  char *head_end = strstr(head, "\r\n\r\n");
  if (head_end == NULL && count < HEAD_BYTES) return false;
  int status = 0;
  char *length = strcasestr(head, "\r\nContent-Length:");
  if (head_end != NULL) sscanf(head, "HTTP/1.%*d %d", &status);
  if ((status != 200 && status != 206) || length == NULL || length > head_end) {
    class->bad_answers++;
    class->last_status = status;
    end_stream(stream);
    return false;
  }
  stream->remaining = strtoull(length + 17, NULL, 10);
  char *closes = strcasestr(head, "\r\nConnection: close");
  stream->last = closes != NULL && closes < head_end;
  size_t head_bytes = (size_t)(head_end + 4 - head);
  if (recv(stream->fd, head, head_bytes, 0) != (ssize_t)head_bytes) refuse("recv: %m");
  stream->state = BODY;
  return true;
}

/** Returns how much was taken; 0 when there is no more for now. */
static size_t take_body(struct stream *stream, size_t allowed) {
  struct class *class = stream->client->class;
  size_t wanted = allowed < stream->remaining ? allowed : stream->remaining;
  if (wanted > sizeof scratch) wanted = sizeof scratch;
  // MSG_TRUNC: TCP throws the bytes away instead of copying them, so that the core is the server's.
  ssize_t count = wanted == 0 ? 0 : recv(stream->fd, scratch, wanted, MSG_TRUNC);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0 || (count == 0 && wanted > 0)) {
    connect_again(stream, count == 0);
    return 0;
  }
  stream->remaining -= (uint64_t)count;
  stream->client->bytes += (uint64_t)count;
  if (stream->remaining == 0) {
    class->answers++;
    if (!stream->last) {
      ask(stream);
    } else {
      end_stream(stream);
      begin_connect(stream);
    }
  }
  return (size_t)count;
}

/** Take what is there, not more than that; returns how much of it were bytes of a body. */
static size_t take(struct stream *stream, size_t allowed) {
  size_t taken = 0;
  while (taken < allowed) {
    if (stream->state == HEAD) {
      if (!take_head(stream)) break;
    } else if (stream->state == BODY) {
      size_t count = take_body(stream, allowed - taken);
      taken += count;
      if (count == 0) break;
    } else {
      break;
    }
  }
  return taken;
}

/** A limited stream's turn, or the first request of any. */
static void turn(struct stream *stream) {
  struct class *class = stream->client->class;
  if (stream->state == IDLE) begin(stream);
  else if (stream->state == HEAD || stream->state == BODY) {
    uint64_t now = now_us();
    double most_ms = 1.5 * class->every_ms > BURST_MS ? 1.5 * class->every_ms : BURST_MS;
    stream->budget += class->rate * (double)(now - stream->paid_us) / 1e6;
    stream->paid_us = now;
    if (stream->budget > class->rate * most_ms / 1e3) stream->budget = class->rate * most_ms / 1e3;
    if (stream->budget >= 1) stream->budget -= (double)take(stream, (size_t)stream->budget);
    // One that connects again begins anew when it has connected.
    if (stream->state == HEAD || stream->state == BODY) put_on_wheel(stream, class->every_ms);
  }
}

static void turn_wheel(uint64_t now_ms) {
  if (now_ms - wheel_ms > WHEEL_SLOTS) refuse("stalled for %d ms: the machine is too busy", WHEEL_SLOTS);
  while (wheel_ms < now_ms) {
    wheel_ms++;
    struct stream *stream = wheel[wheel_ms % WHEEL_SLOTS];
    wheel[wheel_ms % WHEEL_SLOTS] = NULL;
    while (stream != NULL) {
      struct stream *next = stream->next_due;
      turn(stream);
      stream = next;
    }
  }
}

static void wait_for_events(int timeout_ms) {
  struct epoll_event events[256];
  int count = epoll_wait(epoll_fd, events, 256, timeout_ms);
  for (int at = 0; at < count; at++) {
    struct stream *stream = events[at].data.ptr;
    if (stream->state == CONNECTING) finish_connect(stream);
    else if (stream->state != DEAD) take(stream, QUANTUM_BYTES);
  }
}

static void connect_all(void) {
  while (next_to_connect < stream_count || connecting > 0) {
    while (next_to_connect < stream_count && connecting < CONNECTING_AT_ONCE) {
      begin_connect(&streams[next_to_connect++]);
    }
    wait_for_events(100);
  }
}

static void wait_for_line(void) {
  for (char byte = 0; byte != '\n';) {
    if (read(0, &byte, 1) != 1) exit(1);
  }
}

static void mark_second(void) {
  for (struct client *client = clients; client < clients + client_count; client++) {
    uint64_t bytes = client->bytes - client->at_second;
    if (bytes < client->worst_second) client->worst_second = bytes;
    client->at_second = client->bytes;
    if (second_count < MAX_SECONDS) client->class->seconds[second_count] += bytes;
  }
  if (second_count < MAX_SECONDS) second_count++;
}

static void mark_from(void) {
  for (struct client *client = clients; client < clients + client_count; client++) {
    client->at_from = client->bytes;
    client->worst_second = UINT64_MAX;
  }
}

static void print_list(struct class *class, const char *name, bool worst) {
  printf(",\"%s\":[", name);
  struct client *first = clients + class->first_client;
  for (struct client *client = first; client < first + class->clients; client++) {
    uint64_t value = worst ? client->worst_second : client->bytes - client->at_from;
    printf("%s%llu", client == first ? "" : ",", (unsigned long long)value);
  }
  printf("]");
}

static void print_report(double seconds, double cpu) {
  printf("{\"step\":\"end\",\"seconds\":%.6f,\"cpuSeconds\":%.3f,\"classes\":[", seconds, cpu);
  for (struct class *class = classes; class < classes + class_count; class++) {
    printf("%s{\"name\":\"%s\",\"clients\":%d,\"sockets\":%d,\"answers\":%llu,\"lastStatus\":%d",
           class == classes ? "" : ",", class->name, class->clients, class->socket_count,
           (unsigned long long)class->answers, class->last_status);
    printf(",\"errors\":{\"connect\":%llu,\"closed\":%llu,\"reset\":%llu,\"answer\":%llu}",
           (unsigned long long)class->connect_errors, (unsigned long long)class->closed,
           (unsigned long long)class->resets, (unsigned long long)class->bad_answers);
    print_list(class, "bytes", false);
    print_list(class, "worstSecondBytes", true);
    printf(",\"seconds\":[");
    for (int at = 0; at < second_count; at++) {
      printf("%s%llu", at == 0 ? "" : ",", (unsigned long long)class->seconds[at]);
    }
    printf("]");
    printf("}");
  }
  printf("]}\n");
}

static void read_class(char *words) {
  if (class_count == MAX_CLASSES) refuse("more than %d classes", MAX_CLASSES);
  struct class *class = &classes[class_count++];
  *class = (struct class){.clients = 1, .sockets_low = 1, .sockets_high = 1, .every_ms = 2};
  strcpy(class->path, "/");
  for (char *word; (word = strsep(&words, ",")) != NULL;) {
    char *value = strchr(word, '=');
    if (value == NULL) refuse("expected name=value, not \"%s\"", word);
    *value++ = 0;
    if (strcmp(word, "name") == 0) snprintf(class->name, sizeof class->name, "%s", value);
    else if (strcmp(word, "path") == 0) snprintf(class->path, sizeof class->path, "%s", value);
    else if (strcmp(word, "clients") == 0) class->clients = atoi(value);
    else if (strcmp(word, "rate") == 0) class->rate = atof(value);
    else if (strcmp(word, "every") == 0) class->every_ms = atoi(value);
    else if (strcmp(word, "receive") == 0) class->receive = atoi(value);
    else if (strcmp(word, "segment") == 0) class->segment = atoi(value);
    else if (strcmp(word, "address") == 0) class->address = ntohl(inet_addr(value));
    else if (strcmp(word, "sockets") == 0) {
      class->sockets_low = class->sockets_high = atoi(value);
      char *high = strchr(value, '-');
      if (high != NULL) class->sockets_high = atoi(high + 1);
    } else refuse("unknown word \"%s\" of a class", word);
  }
  if (class->clients < 1 || class->sockets_low < 1 || class->sockets_high < class->sockets_low) {
    refuse("expected at least 1 client and 1 socket of \"%s\"", class->name);
  }
  if (class->every_ms < 1 || class->every_ms >= WHEEL_SLOTS) {
    refuse("expected every=1 to %d, not %d", WHEEL_SLOTS - 1, class->every_ms);
  }
}

static int sockets_of(struct class *class, int index) {
  int more = class->sockets_high - class->sockets_low;
  return class->sockets_low + (class->clients > 1 ? more * index / (class->clients - 1) : 0);
}

static void make_streams(void) {
  for (struct class *class = classes; class < classes + class_count; class++) {
    class->first_client = client_count;
    client_count += class->clients;
    for (int at = 0; at < class->clients; at++) class->socket_count += sockets_of(class, at);
    stream_count += class->socket_count;
    snprintf(class->request, sizeof class->request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
             class->path, ntohs(target.sin_port));
  }
  clients = calloc((size_t)client_count, sizeof *clients);
  streams = calloc((size_t)stream_count, sizeof *streams);
  struct client *client = clients;
  struct stream *stream = streams;
  for (struct class *class = classes; class < classes + class_count; class++) {
    for (int at = 0; at < class->clients; at++, client++) {
      client->class = class;
      for (int count = sockets_of(class, at); count > 0; count--) (stream++)->client = client;
    }
  }
}

int main(int count, char **words) {
  double from = 5, to = 20;
  bool hold = false;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int at = 1; at < count; at++) {
    char *word = words[at];
    if (strcmp(word, "--hold") == 0) hold = true;
    else if (at + 1 == count) refuse("unknown word \"%s\", or nothing behind it", word);
    else if (strcmp(word, "--port") == 0) target.sin_port = htons((uint16_t)atoi(words[++at]));
    else if (strcmp(word, "--from") == 0) from = atof(words[++at]);
    else if (strcmp(word, "--to") == 0) to = atof(words[++at]);
    else if (strcmp(word, "--class") == 0) read_class(words[++at]);
    else refuse("unknown word \"%s\"", word);
  }
  if (target.sin_port == 0 || class_count == 0) refuse("expected --port and at least one --class");
  if (!(from >= 1 && to >= from + 2 && to <= MAX_SECONDS)) {
    refuse("expected --from of 1 or more, and --to 2 or more behind it, up to %d", MAX_SECONDS);
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  alarm((unsigned)to + 180); // Whatever happens, it does not stay.
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  make_streams();

  uint64_t connect_us = now_us();
  connect_all();
  printf("{\"step\":\"connected\",\"sockets\":%d,\"of\":%d,\"ms\":%llu}\n", connected, stream_count,
         (unsigned long long)(now_us() - connect_us) / 1000);
  if (hold) wait_for_line();

  started = true;
  uint64_t start_us = now_us();
  wheel_ms = start_us / 1000;
  for (int at = 0; at < stream_count; at++) {
    if (streams[at].state == IDLE) {
      put_on_wheel(&streams[at], 1 + (int)((int64_t)RAMP_MS * at / stream_count));
    }
  }
  double cpu = 0;
  uint64_t from_us = 0, second_us = start_us, last_us = start_us + (uint64_t)(to * 1e6);
  for (uint64_t now = start_us; now < last_us; now = now_us()) {
    if (now >= second_us + 1000000) {
      mark_second();
      second_us += 1000000;
    }
    if (from_us == 0 && now >= start_us + (uint64_t)(from * 1e6)) {
      mark_from();
      cpu = cpu_seconds();
      from_us = now;
      printf("{\"step\":\"counting\"}\n");
    }
    turn_wheel(now / 1000);
    wait_for_events(1);
  }
  print_report((double)(now_us() - from_us) / 1e6, cpu_seconds() - cpu);
  return 0;
}
