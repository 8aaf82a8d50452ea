import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams doing the windows worker's job, in two forms.
 *
 * <p>"panes", the fairest: aggregate() keeps minute panes and running totals of a touchpoint. "hopping", the
 * idiomatic: its own windows of 5 min, 1 h and 24 h that advance by a minute, 1,505 an answer. At least once;
 * the record cache coalesces updates, and a commit every 200 ms (default: 30 s) sends them.
 */
public final class Peer {
  static final ObjectMapper JSON = new ObjectMapper();
  static final String[] NAMES = {"5m", "1h", "24h"};
  static final int[] MINUTES = {5, 60, 1440};

  /** The fields of an event that are needed. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static final class Answer {
    public String touchpoint;
    public String metric;
    public int score;
    public String occurred_at;

    boolean good() {
      return score >= (metric.equals("csat") ? 4 : 5);
    }

    long millis() {
      return Instant.parse(occurred_at).toEpochMilli();
    }
  }

  /** What is kept of one touchpoint and metric; counts are {answers, good answers}. */
  public static final class Series {
    public long now;
    public TreeMap<Long, long[]> panes = new TreeMap<>();
    public long[][] totals = new long[3][2];

    void count(Answer answer) {
      long minute = answer.millis() / 60_000;
      if (minute > now) {
        advance(minute);
      }
      long[] pane = panes.computeIfAbsent(minute, start -> new long[2]);
      add(pane, answer.good());
      for (int window = 0; window < 3; window++) {
        if (minute > now - MINUTES[window]) {
          add(totals[window], answer.good());
        }
      }
    }

    private void advance(long minute) {
      for (int window = 0; window < 3; window++) {
        int length = MINUTES[window];
        for (long[] gone : panes.subMap(now - length + 1, minute - length + 1).values()) {
          totals[window][0] -= gone[0];
          totals[window][1] -= gone[1];
        }
      }
      panes.headMap(minute - 1439).clear();
      now = minute;
    }

    private static void add(long[] counts, boolean good) {
      counts[0]++;
      counts[1] += good ? 1 : 0;
    }
  }

  /** The series of one touchpoint by metric. */
  public static final class Touchpoint {
    public Map<String, Series> series = new HashMap<>();

    Touchpoint count(Answer answer) {
      series.computeIfAbsent(answer.metric, metric -> new Series()).count(answer);
      return this;
    }
  }

  /** One window of one touchpoint; every touchpoint of the benchmark has one metric. */
  public static final class Window {
    public String metric;
    public long newest;
    public long n;
    public long good;

    Window count(Answer answer) {
      metric = answer.metric;
      newest = Math.max(newest, answer.millis() / 60_000);
      n++;
      good += answer.good() ? 1 : 0;
      return this;
    }
  }

  static <T> Serde<T> json(Class<T> type) {
    return Serdes.serdeFrom((topic, value) -> written(value), (topic, bytes) -> read(bytes, type));
  }

  static byte[] written(Object value) {
    try {
      return value == null ? null : JSON.writeValueAsBytes(value);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  static <T> T read(byte[] bytes, Class<T> type) {
    try {
      return bytes == null ? null : JSON.readValue(bytes, type);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Event time, instead of the time in Kafka's log. */
  public static final class OccurredAt implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> message, long partitionTime) {
      return ((Answer) message.value()).millis();
    }
  }

  static String touchpointOf(String key) {
    return key.substring(key.indexOf('/') + 1);
  }

  static void panes(KGroupedStream<String, Answer> answers, String output) {
    Materialized<String, Touchpoint, KeyValueStore<Bytes, byte[]>> store =
        Materialized.<String, Touchpoint, KeyValueStore<Bytes, byte[]>>as("panes")
            .withKeySerde(Serdes.String())
            .withValueSerde(json(Touchpoint.class));
    answers
        .aggregate(Touchpoint::new, (key, answer, touchpoint) -> touchpoint.count(answer), store)
        .toStream()
        .flatMap((key, touchpoint) -> updates(touchpointOf(key), touchpoint))
        .to(output, Produced.with(Serdes.String(), Serdes.ByteArray()));
  }

  static List<KeyValue<String, byte[]>> updates(String touchpoint, Touchpoint counted) {
    List<KeyValue<String, byte[]>> updates = new ArrayList<>();
    counted.series.forEach(
        (metric, series) -> {
          Map<String, Object> update = new HashMap<>();
          update.put("touchpoint", touchpoint);
          update.put("metric", metric);
          for (int window = 0; window < 3; window++) {
            long[] total = series.totals[window];
            update.put("n_" + NAMES[window], total[0]);
            update.put("score_" + NAMES[window], total[0] == 0 ? 0.0 : 100.0 * total[1] / total[0]);
          }
          updates.add(KeyValue.pair(touchpoint + "/" + metric, written(update)));
        });
    return updates;
  }

  static void hopping(KGroupedStream<String, Answer> answers, String output) {
    for (int window = 0; window < 3; window++) {
      String name = NAMES[window];
      Duration length = Duration.ofMinutes(MINUTES[window]);
      Materialized<String, Window, WindowStore<Bytes, byte[]>> store =
          Materialized.<String, Window, WindowStore<Bytes, byte[]>>as("hopping-" + name)
              .withKeySerde(Serdes.String())
              .withValueSerde(json(Window.class));
      answers
          .windowedBy(TimeWindows.ofSizeWithNoGrace(length).advanceBy(Duration.ofMinutes(1)))
          .aggregate(Window::new, (key, answer, counts) -> counts.count(answer), store)
          .toStream()
          .filter((key, counts) -> key.window().end() == (counts.newest + 1) * 60_000)
          .map((key, counts) -> score(touchpointOf(key.key()), name, counts))
          .to(output, Produced.with(Serdes.String(), Serdes.ByteArray()));
    }
  }

  static KeyValue<String, byte[]> score(String touchpoint, String name, Window counts) {
    Map<String, Object> update = new HashMap<>();
    update.put("touchpoint", touchpoint);
    update.put("metric", counts.metric);
    update.put("window", name);
    update.put("n", counts.n);
    update.put("score", 100.0 * counts.good / counts.n);
    return KeyValue.pair(touchpoint + "/" + counts.metric, written(update));
  }

  static Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("PEERS_OUTPUT"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("PEERS_BOOTSTRAP"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("PEERS_STATE"));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    return settings;
  }

  /** Run until told to stop. */
  public static void main(String[] arguments) {
    StreamsBuilder builder = new StreamsBuilder();
    Consumed<String, Answer> source =
        Consumed.with(Serdes.String(), json(Answer.class)).withTimestampExtractor(new OccurredAt());
    KStream<String, Answer> events = builder.stream("feedback.events", source);
    KGroupedStream<String, Answer> answers =
        events.groupByKey(Grouped.with(Serdes.String(), json(Answer.class)));
    if (arguments[0].equals("panes")) {
      panes(answers, System.getenv("PEERS_OUTPUT"));
    } else {
      hopping(answers, System.getenv("PEERS_OUTPUT"));
    }
    KafkaStreams streams = new KafkaStreams(builder.build(), settings());
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
