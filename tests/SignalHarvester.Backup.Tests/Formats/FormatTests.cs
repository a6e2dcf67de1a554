using System.IO.Compression;
using System.Security.Cryptography;
using CsCheck;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using ZstdSharp;

namespace SignalHarvester.Backup.Tests.Formats;

/// <summary>Stored content reads back, here and with standard tools; damaged content never passes for something else.</summary>
public sealed class FormatTests : IDisposable
{
    private readonly Scene scene = new();

    public static TheoryData<CompressionType> Compressions => [.. Enum.GetValues<CompressionType>()];

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void Any_bytes_come_back(CompressionType compression) =>
        Gen.Select(Gen.Int[0, 3 * Chunk.ImageBytes / 2], Gen.Byte, Gen.Int[0, 3], Gen.Int[1, 9]).Sample(
            (length, seed, kind, level) =>
            {
                var plain = Bytes(length, seed, kind);
                var path = scene["any"];
                Store(path, plain, compression, compression == CompressionType.None ? 0 : level);
                Assert.True(plain.AsSpan().SequenceEqual(scene.Image(path)));
            },
            iter: 25,
            threads: 1);

    [Theory]
    [InlineData(CompressionType.Gzip, "gzip")]
    [InlineData(CompressionType.Zstd, "zstd")]
    public void Plain_tools_read_what_is_stored(CompressionType compression, string tool)
    {
        var plain = Bytes((3 * Chunk.ImageBytes) + 12345, seed: 7, kind: 2);
        Store(scene["stored"], plain, compression, level: 1);

        Tool.Require(tool).RunToFile(scene["plain"], "-d", "-c", "-q", scene["stored"]).EnsureSuccess();

        Assert.True(plain.AsSpan().SequenceEqual(File.ReadAllBytes(scene["plain"])));
        if (compression == CompressionType.Zstd)
        {
            Tool.Require("zstd").Run("-t", "-q", scene["stored"]).EnsureSuccess();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9_000_000)]
    public void A_zstd_file_of_one_frame_without_its_size_is_read(int length)
    {
        var plain = Bytes(length, seed: 3, kind: 2);
        var shell = "cat \"$1\" | zstd -q -c > \"$2\"";
        File.WriteAllBytes(scene["plain"], plain);
        _ = Tool.Require("zstd");

        Tool.Require("sh").Run("-c", shell, "sh", scene["plain"], scene["stored"]).EnsureSuccess();

        Assert.True(plain.AsSpan().SequenceEqual(scene.Image(scene["stored"])));
    }

    [Theory]
    [InlineData("--long=27", "-19")]
    [InlineData("-1", "--no-check")]
    public void A_zstd_file_with_other_options_is_read(string option, string level)
    {
        var plain = Bytes(6_000_000, seed: 4, kind: 2);
        File.WriteAllBytes(scene["plain"], plain);

        Tool.Require("zstd").Run("-q", option, level, scene["plain"], "-o", scene["stored"]).EnsureSuccess();

        Assert.True(plain.AsSpan().SequenceEqual(scene.Image(scene["stored"])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9_000_000)]
    public void A_gzip_file_of_the_tool_and_several_of_them_in_a_row_are_read(int length)
    {
        var plain = Bytes(length, seed: 5, kind: 2);
        File.WriteAllBytes(scene["plain"], plain);
        Tool.Require("gzip").RunToFile(scene["one.gz"], "-c", "-1", scene["plain"]).EnsureSuccess();
        var one = File.ReadAllBytes(scene["one.gz"]);
        File.WriteAllBytes(scene["two.gz"], [.. one, .. one]);

        Assert.True(plain.AsSpan().SequenceEqual(scene.Image(scene["one.gz"])));
        Assert.True(((byte[])[.. plain, .. plain]).AsSpan().SequenceEqual(scene.Image(scene["two.gz"])));
    }

    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void Frames_of_ours_followed_by_one_of_another_tool_are_read(CompressionType compression)
    {
        var first = Bytes(Chunk.ImageBytes + 100, seed: 1, kind: 2);
        var second = Bytes(5_000_000, seed: 2, kind: 2);
        Store(scene["stored"], first, compression, level: 1);
        File.WriteAllBytes(scene["foreign"], second);
        Tool.Require(compression == CompressionType.Zstd ? "zstd" : "gzip").RunToFile(scene["second"], "-c", "-q", scene["foreign"]).EnsureSuccess();
        using (var file = File.Open(scene["stored"], FileMode.Append))
        {
            file.Write(File.ReadAllBytes(scene["second"]));
        }

        Assert.True(((byte[])[.. first, .. second]).AsSpan().SequenceEqual(scene.Image(scene["stored"])));
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void A_file_cut_anywhere_is_damaged_or_has_another_checksum(CompressionType compression)
    {
        var plain = Bytes((2 * Chunk.ImageBytes) + 4096, seed: 9, kind: 2);
        Store(scene["whole"], plain, compression, compression == CompressionType.None ? 0 : 1);
        var stored = File.ReadAllBytes(scene["whole"]);

        Gen.Frequency((1, Gen.Int[0, 64]), (1, Gen.Int[stored.Length - 64, stored.Length - 1]), (3, Gen.Int[0, stored.Length - 1])).Sample(
            length =>
            {
                File.WriteAllBytes(scene["cut"], stored[..length]);
                AssertDetected(scene["cut"], stored);
            },
            iter: 60,
            threads: 1);
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void A_file_with_a_flipped_bit_is_damaged_or_has_another_checksum(CompressionType compression)
    {
        var plain = Bytes(Chunk.ImageBytes + 4096, seed: 9, kind: 2);
        Store(scene["whole"], plain, compression, compression == CompressionType.None ? 0 : 1);
        var stored = File.ReadAllBytes(scene["whole"]);

        Gen.Select(Gen.Frequency((1, Gen.Int[0, 32]), (1, Gen.Int[stored.Length - 32, stored.Length - 1]), (3, Gen.Int[0, stored.Length - 1])), Gen.Int[0, 7])
            .Sample(
            (at, bit) =>
            {
                byte[] flipped = [.. stored];
                flipped[at] ^= (byte)(1 << bit);
                File.WriteAllBytes(scene["flipped"], flipped);
                AssertDetected(scene["flipped"], stored);
            },
            iter: 60,
            threads: 1);
    }

    [Theory]
    [InlineData(CompressionType.Gzip, 8)]
    [InlineData(CompressionType.Zstd, 4)]
    public void The_checksum_at_the_end_of_each_frame_is_checked(CompressionType compression, int fromEnd)
    {
        Store(scene["whole"], Bytes(5000, seed: 9, kind: 2), compression, level: 1);
        var stored = File.ReadAllBytes(scene["whole"]);
        stored[^fromEnd] ^= 1;
        File.WriteAllBytes(scene["flipped"], stored);

        Assert.Throws<InvalidDataException>(() => scene.ReadImage(scene["flipped"]));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public void A_foreign_file_cut_or_flipped_is_never_taken_for_whole(string tool)
    {
        var plain = Bytes(5_000_000, seed: 11, kind: 2);
        File.WriteAllBytes(scene["plain"], plain);
        Tool.Require(tool).RunToFile(scene["whole"], "-c", "-q", "-1", scene["plain"]).EnsureSuccess();
        var stored = File.ReadAllBytes(scene["whole"]);

        Gen.Select(Gen.Int[0, stored.Length - 1], Gen.Int[0, 8]).Sample(
            (at, bit) =>
            {
                var damaged = bit == 8 ? stored[..at] : [.. stored];
                if (bit < 8)
                {
                    damaged[at] ^= (byte)(1 << bit);
                }

                File.WriteAllBytes(scene["damaged"], damaged);
                AssertDetected(scene["damaged"], stored);
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public void Any_bytes_at_all_are_read_or_refused_but_nothing_worse() =>
        Gen.Select(Gen.Int[0, 2], Gen.Byte.Array[0, 400]).Sample(
            (kind, noise) =>
            {
                byte[] magic = kind switch
                {
                    0 => [0x28, 0xb5, 0x2f, 0xfd],
                    1 => [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, (byte)'S', (byte)'H', 4, 0],
                    _ => [0x1f, 0x8b, 8],
                };
                File.WriteAllBytes(scene["noise"], [.. magic, .. noise]);
                try
                {
                    scene.ReadImage(scene["noise"], largest: 1 << 26);
                }
                catch (InvalidDataException)
                {
                    // The only way to refuse.
                }
            },
            iter: 2000,
            threads: 1);

    [Theory]
    [InlineData(CompressionType.Gzip, true)]
    [InlineData(CompressionType.Gzip, false)]
    [InlineData(CompressionType.Zstd, true)]
    [InlineData(CompressionType.Zstd, false)]
    public void A_bomb_is_stopped_at_the_recorded_size(CompressionType compression, bool foreign)
    {
        const int recorded = 100_000;
        var path = scene["bomb"];
        if (foreign)
        {
            using var file = File.Create(path);
            using Stream bomb = compression == CompressionType.Gzip
                ? new GZipStream(file, CompressionLevel.Optimal)
                : new CompressionStream(file, level: 3);
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 200; i++)
            {
                bomb.Write(zeros);
            }
        }
        else
        {
            Store(path, new byte[20 * Chunk.ImageBytes], compression, level: 1);
        }

        using var written = new MemoryStream();
        Assert.Throws<InvalidDataException>(() => scene.ReadImage(path, recorded, written));
        Assert.True(written.Length <= recorded);
    }

    [Theory]
    [InlineData(CompressionType.Zstd, 0)]
    [InlineData(CompressionType.Zstd, 20)]
    [InlineData(CompressionType.Gzip, 0)]
    [InlineData(CompressionType.Gzip, 10)]
    [InlineData(CompressionType.None, 1)]
    public void A_level_that_the_codec_lacks_is_refused(CompressionType compression, int level)
    {
        var error = Scene.Fails(
            BackupErrorId.InvalidArgument, BackupErrorCategory.InvalidArgument, () => Codec.ResolveLevel(compression, level));

        Assert.Equal(level, error.Target);
    }

    private static byte[] Bytes(int length, int seed, int kind)
    {
        var bytes = new byte[length];
        var random = new Random(seed);
        if (kind == 1)
        {
            random.NextBytes(bytes);
        }
        else if (kind >= 2)
        {
            // Compressible, but no two stretches are the same.
            for (var i = 0; i < length; i++)
            {
                bytes[i] = (byte)(random.Next(4) + ((i >> 12) & 0x3f));
            }
        }

        return bytes;
    }

    private static void Store(string path, byte[] plain, CompressionType compression, int level)
    {
        using var file = File.Create(path);
        var at = 0;
        ChunkPipeline.Run(
            chunk =>
            {
                chunk.PlainLength = Math.Min(Chunk.ImageBytes, plain.Length - at);
                plain.AsSpan(at, chunk.PlainLength).CopyTo(chunk.Plain);
                at += chunk.PlainLength;
                return chunk.PlainLength > 0;
            },
            () => Codec.Compressor(compression, level),
            chunk => file.Write(chunk.StoredSpan),
            CancellationToken.None);
    }

    // Damage where nothing is stored (a gzip time stamp, the last checksum cut off) leaves the content intact: then the stored checksum shows it.
    private void AssertDetected(string path, byte[] stored)
    {
        try
        {
            Assert.NotEqual(Convert.ToHexStringLower(SHA256.HashData(stored)), scene.ReadImage(path).StoredChecksum);
        }
        catch (InvalidDataException)
        {
            // Unpacking noticed the damage.
        }
    }
}
