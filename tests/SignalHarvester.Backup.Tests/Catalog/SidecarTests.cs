using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Catalog;

public sealed class SidecarTests
{
    private const string Id = "backup_20261122_020000_123456";
    private const string Folder = "/srv/backups";
    private const string Hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    private static readonly Gen<string> Texts = Gen.String[Gen.Char.Where(character => !char.IsSurrogate(character)), 0, 40];

    private static readonly Gen<string> Hashes = Gen.Byte.Array[32].Select(Convert.ToHexStringLower);

    private static readonly Gen<DateTimeOffset> Moments =
        Gen.DateTime[new DateTime(1971, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(9998, 1, 1, 0, 0, 0, DateTimeKind.Utc)]
        .Select(moment => new DateTimeOffset(moment.Ticks - (moment.Ticks % 10), TimeSpan.Zero));

    private static readonly Gen<object?> Nothing = Gen.Bool.Select(_ => (object?)null);

    private static readonly Gen<object?> Values = Gen.Recursive<object?>((depth, self) => depth > 3
        ? Nothing
        : Gen.OneOf(
            Nothing,
            Gen.Bool.Select(value => (object?)value),
            Gen.Long.Select(value => (object?)value),
            Gen.Int[1, 1_000_000].Select(value => (object?)(value + 0.25)),
            Texts.Select(value => (object?)value),
            self.Array[0, 3].Select(value => (object?)value),
            Maps(self).Select(value => (object?)value)));

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Select(
            Gen.Select(Gen.Enum<BackupType>(), Moments, Texts, Gen.Enum<CompressionType>(), Gen.Long[0, long.MaxValue], Hashes.Null()),
            Gen.Select(
                Gen.Bool, Moments.Nullable(), Gen.Enum<VerificationLevel>(), Gen.Enum<RetentionPolicy>().Nullable(), Gen.Enum<CloudProvider>().Nullable(),
                Texts.Null()),
            Gen.Select(Maps(Values), Gen.Dictionary(Texts, Gen.Long[0, long.MaxValue])[0, 5], Gen.Bool, Gen.Bool, Gen.Bool, Hashes.Null()))
        .Sample((first, second, third) =>
        {
            var clock = new FakeTimeProvider();
            (var type, var moment, var path, var compression, var size, var checksum) = first;
            (var verified, var verifiedAt, var level, var policy, var cloud, var description) = second;
            (var metadata, var rows, var safety, var corrupt, var predecessor, var other) = third;
            var backup = new BackupMetadata
            {
                Id = Id,
                Type = type,
                Timestamp = moment,
                DatabasePath = path,
                BackupPath = Path.Combine(Folder, BackupFileName.For(Id, BackupType.Full, compression).Text),
                BackupDirectory = Folder,
                Compression = compression,
                Size = size,
                DatabaseSize = size / 8192 % 1_000_000 * 4096,
                PageSize = 4096,
                PageCount = size / 8192 % 1_000_000,
                Checksum = checksum,
                StoredChecksum = other,
                WalChecksum = checksum,
                ParentId = other is null ? null : "backup_20261121_020000",
                Verified = verified,
                VerificationLevel = level,
                VerificationTimestamp = verifiedAt,
                Verification = [new VerificationCheck("Integrity", verified, path)],
                RetentionPolicy = policy,
                Description = description,
                Metadata = metadata,
                CloudUrl = description,
                CloudProvider = cloud,
                Duration = TimeSpan.FromMilliseconds(1250),
                RowCounts = rows,
                IsSafety = safety,
                IsSourceCorrupt = corrupt,
                IsPredecessor = predecessor,
                Clock = clock,
            };

            var json = Sidecar.Write(backup, other, existing: null);

            Assert.Equivalent(backup, Sidecar.Read(json, Id, Folder, clock), strict: true);
            Assert.Equal(other, Sidecar.SchemaChecksum(json));
            Assert.Equal(json, Sidecar.Write(Sidecar.Read(json, Id, Folder, TimeProvider.System), other, json));
        },
        iter: 300);

    [Fact]
    public void The_fields_are_the_predecessors_with_ours_on_top()
    {
        var backup = new BackupMetadata
        {
            Id = Id,
            Timestamp = new DateTimeOffset(2026, 11, 22, 3, 0, 0, 123, 456, TimeSpan.FromHours(1)),
            BackupPath = $"{Folder}/{Id}_full.db",
            BackupDirectory = Folder,
            RetentionPolicy = RetentionPolicy.Weekly,
            Description = "nächtlich <&> 漢",
        };

        var json = Encoding.UTF8.GetString(Sidecar.Write(backup, schemaChecksum: null, existing: null));

        var root = JsonNode.Parse(json)!.AsObject();
        Assert.Equal(
            [
                "backup_id", "backup_type", "timestamp", "db_path", "backup_path", "compression", "size_bytes", "checksum", "wal_checksum", "cloud_url",
                "cloud_provider", "retention_policy", "verified", "verification_timestamp", "description", "metadata",
            ],
            root.Select(field => field.Key).Take(16));
        Assert.Equal("2026-11-22T02:00:00.123456+00:00", (string?)root["timestamp"]);
        Assert.Equal("weekly", (string?)root["retention_policy"]);
        Assert.Equal("full", (string?)root["backup_type"]);
        Assert.Equal(1, (int?)root["format_version"]);
        Assert.Contains("nächtlich <&> 漢", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_fields_survive_a_rewrite()
    {
        var root = Minimal();
        root["x_of_a_later_version"] = new JsonObject { ["deep"] = new JsonArray(1, "two", null) };
        var json = Bytes(root);

        var rewritten = Sidecar.Write(Sidecar.Read(json, Id, Folder, TimeProvider.System) with { Verified = true }, Hash, json);

        var after = JsonNode.Parse(rewritten)!.AsObject();
        Assert.True(JsonNode.DeepEquals(root["x_of_a_later_version"], after["x_of_a_later_version"]));
        Assert.True((bool?)after["verified"]);
        Assert.Equal(Hash, (string?)after["schema_checksum"]);
        Assert.Null(after["format_version"]);
    }

    [Theory]
    [InlineData("2025-11-10T02:00:00.123456", "2025-11-10T02:00:00.123456Z")]
    [InlineData("2025-11-10T02:00:00", "2025-11-10T02:00:00Z")]
    [InlineData("2025-11-10T02:00:00+00:00", "2025-11-10T02:00:00Z")]
    [InlineData("2025-11-10T02:00:00.5+05:30", "2025-11-09T20:30:00.5Z")]
    [InlineData("2025-11-10T02:00:00Z", "2025-11-10T02:00:00Z")]
    public void Times_with_and_without_zone_are_read_as_utc(string written, string expected)
    {
        var root = Minimal();
        root["timestamp"] = written;

        var read = Sidecar.Read(Bytes(root), Id, Folder, TimeProvider.System).Timestamp;

        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), read);
        Assert.Equal(TimeSpan.Zero, read.Offset);
    }

    [Fact]
    public void A_byte_order_mark_is_no_hindrance()
    {
        byte[] json = [0xEF, 0xBB, 0xBF, .. Bytes(Minimal())];

        var backup = Sidecar.Read(json, Id, Folder, TimeProvider.System);

        Assert.Null(Sidecar.SchemaChecksum(json));
        Assert.Equal(Id, Sidecar.Read(Sidecar.Write(backup, null, json), Id, Folder, TimeProvider.System).Id);
    }

    public static TheoryData<string> Malformed =>
    [
        "",
        "not JSON",
        "null",
        "[]",
        "\"text\"",
        "{",
        "{}",
        new string('[', 100_000),
        "{\"a\":" + string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 201),
        With("backup_id", "null"),
        With("backup_id", "7"),
        With("backup_id", "\"\\ud800\""),
        With("backup_path", "null"),
        With("backup_path", "[]"),
        With("size_bytes", "null"),
        With("size_bytes", "\"10\""),
        With("size_bytes", "1.5"),
        With("size_bytes", "1e300"),
        With("size_bytes", "99999999999999999999"),
        With("page_size", "4294967296"),
        With("page_count", "{}"),
        With("database_size", "true"),
        With("checksum", "\"abc\""),
        With("checksum", "\"" + new string('z', 64) + "\""),
        With("stored_checksum", "5"),
        With("pages_checksum", "\"abc\""),
        With("wal_position", "7"),
        With("schema_checksum", "\"zz\""),
        With("schema_checksum", "5"),
        With("backup_type", "\"sideways\""),
        With("backup_type", "\"0\""),
        With("backup_type", "0"),
        With("compression", "\"-1\""),
        With("compression", "\"gzip,zstd\""),
        With("backup_type", "\"Full\\u0660\""),
        With("retention_policy", "\"hourly\""),
        With("cloud_provider", "\"mars\""),
        With("timestamp", "\"yesterday\""),
        With("timestamp", "5"),
        With("timestamp", "\"9999-12-31T23:59:59-14:00\""),
        With("timestamp", "\"0001-01-01T00:00:00+14:00\""),
        With("verified", "\"yes\""),
        With("verified", "1"),
        With("row_counts", "{\"a\":\"b\"}"),
        With("row_counts", "{\"a\":1e300}"),
        With("verification", "[1]"),
        With("description", "5"),
        With("description", "\"\\udc00\""),
        With("metadata", "{\"a\":1,\"a\":2}"),
        Minimal().ToJsonString().Insert(1, $"\"backup_id\":\"{Id}\","),
        With("metadata", "{\"a\":[{\"b\":1,\"b\":2}]}"),
        With("row_counts", "{\"a\":1,\"a\":2}"),
        With("row_counts", "{\"a\":null}"),
        With("wal_position", "{\"frame\":1,\"frame\":2}"),
        With("wal_position", "{\"frame\":null}"),
        With("file_access", "{\"attributes\":{\"user.a\":null}}"),
        With("verification", "[{\"passed\":null}]"),
        With("verification", "{}"),
        With("recipients", "{}"),
        With("x", "{\"a\":1,\"a\":2}"),
        With("x", "[\"\\ud800\"]"),
        Minimal().ToJsonString().Insert(1, "\"x\":1,\"x\":2,"),
        Minimal().ToJsonString().Insert(1, $"\"\\u0062ackup_id\":\"{Id}\","),
        Minimal().ToJsonString() + "{}",
        Minimal().ToJsonString() + "//",
    ];

    [Theory]
    [InlineData("1e300")]
    [InlineData("-1e300")]
    [InlineData("-1")]
    public void A_duration_that_cannot_be_is_none(string duration) =>
        Assert.Null(Sidecar.Read(Encoding.UTF8.GetBytes(With("duration", duration)), Id, Folder, TimeProvider.System).Duration);

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_sidecar_is_invalid_and_named(string json)
    {
        var error = Scene.Fails(
            BackupErrorId.SidecarInvalid,
            BackupErrorCategory.InvalidData,
            () => Sidecar.Read(Encoding.UTF8.GetBytes(json), Id, Folder, TimeProvider.System));

        Assert.Contains(Id + ".json", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 2000);
    }

    public static TheoryData<string> Hostile =>
    [
        With("backup_id", "\"backup_20261122_020000_123457\""),
        With("backup_id", $"\"../{Id}\""),
        With("backup_id", $"\"{Id}\\n\""),
        With("parent_id", "\"../../etc/passwd\""),
        With("parent_id", "\"/etc/passwd\""),
        With("parent_id", "\"\""),
        With("size_bytes", "-1"),
        With("backup_path", "\"/etc/passwd\""),
        With("backup_path", "\"../../etc/passwd\""),
        With("backup_path", "\"..\""),
        With("backup_path", "\"\""),
        With("backup_path", "\"C:\\\\Windows\\\\win.ini\""),
        With("backup_path", $"\"{Id}.json\""),
        With("backup_path", $"\"{Id}_full.db/\""),
        With("backup_path", $"\"{Id}_full.db\\u0000\""),
        With("backup_path", "\"backup_20261122_020000_123457_full.db\""),
        With("backup_path", $"\"{Id}_full.db.partial\""),
        With("backup_path", "\"" + new string('a', 100_000) + "\""),
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_sidecar_is_refused_by_name(string json)
    {
        var error = Scene.Fails(
            BackupErrorId.SidecarHostile,
            BackupErrorCategory.SecurityError,
            () => Sidecar.Read(Encoding.UTF8.GetBytes(json), Id, Folder, TimeProvider.System));

        Assert.Contains(Id + ".json", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 2000);
    }

    [Theory]
    [InlineData("/somewhere/else/")]
    [InlineData("../../")]
    [InlineData("C:\\old\\machine\\")]
    [InlineData("")]
    public void The_file_beside_the_sidecar_is_meant_wherever_the_path_points(string folder)
    {
        var root = Minimal();
        root["backup_path"] = folder + Id + "_full.db";

        Assert.Equal(Path.Combine(Folder, Id + "_full.db"), Sidecar.Read(Bytes(root), Id, Folder, TimeProvider.System).BackupPath);
    }

    [Fact]
    public void Anything_else_in_a_sidecar_is_read_or_refused_but_nothing_worse()
    {
        var valid = Encoding.UTF8.GetString(Sidecar.Write(
            Sidecar.Read(Bytes(Minimal()), Id, Folder, TimeProvider.System) with
            {
                RowCounts = new Dictionary<string, long> { ["a"] = 1 },
                Duration = TimeSpan.FromSeconds(1),
            },
            Hash, null));
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Int[0, 20], Gen.String[Gen.Char["{}[]\",:0123456789.eE-+ntfalsu\\ \0ü"], 0, 12]).Sample(
            (at, remove, put) =>
            {
                var json = Encoding.UTF8.GetBytes(valid.Remove(at, Math.Min(remove, valid.Length - at)).Insert(at, put));
                BackupMetadata backup;
                try
                {
                    backup = Sidecar.Read(json, Id, Folder, TimeProvider.System);
                }
                catch (BackupException error)
                {
                    Assert.Contains(error.ErrorId, (string[])[BackupErrorId.SidecarInvalid, BackupErrorId.SidecarHostile]);
                    return;
                }

                Assert.Equal(Folder, Path.GetDirectoryName(backup.BackupPath));
                _ = Sidecar.SchemaChecksum(json);
                _ = Sidecar.Write(backup, Hash, json);
            },
            iter: 3000);
    }

    private static Gen<Dictionary<string, object?>> Maps(Gen<object?> values) => Gen.Dictionary(Texts, values)[0, 4];

    private static JsonObject Minimal() => new()
    {
        ["backup_id"] = Id,
        ["backup_path"] = $"{Folder}/{Id}_full.db",
        ["size_bytes"] = 10,
    };

    private static string With(string field, string value)
    {
        var root = Minimal();
        root[field] = JsonNode.Parse("\"@@\"");
        return root.ToJsonString().Replace("\"@@\"", value, StringComparison.Ordinal);
    }

    private static byte[] Bytes(JsonObject root) => Encoding.UTF8.GetBytes(root.ToJsonString());
}
