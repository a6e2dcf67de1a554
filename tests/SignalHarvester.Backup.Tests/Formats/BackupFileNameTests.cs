using CsCheck;
using SignalHarvester.Backup.Formats;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats;

public sealed class BackupFileNameTests
{
    private const string Id = "backup_20261122_020000_123456";

    private static readonly Gen<DateTimeOffset> Moments =
        Gen.DateTime[new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(9998, 12, 31, 0, 0, 0, DateTimeKind.Utc)]
            .Select(moment => new DateTimeOffset(DateTime.SpecifyKind(moment, DateTimeKind.Utc), TimeSpan.Zero));

    [Fact]
    public void An_id_states_its_moment_to_the_microsecond() => Moments.Sample(moment =>
    {
        var id = BackupFileName.IdFor(moment);
        return BackupFileName.IsId(id) && BackupFileName.MomentOf(id) == moment.AddTicks(-(moment.Ticks % 10));
    });

    [Fact]
    public void An_id_is_in_utc_whatever_the_offset() =>
        Assert.Equal("backup_20261122_000000_000000", BackupFileName.IdFor(new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.FromHours(2))));

    [Fact]
    public void A_name_reads_back() => Gen.Select(Moments, Gen.Enum<BackupType>(), Gen.Enum<CompressionType>(), Gen.Bool, Gen.Int[1, 999_999_999])
        .Sample((moment, type, compression, encrypted, generation) =>
    {
        var name = BackupFileName.For(BackupFileName.IdFor(moment), type, compression, encrypted, generation);
        return BackupFileName.TryParse(name.Text) == name;
    });

    [Theory]
    [InlineData("_full.db", BackupType.Full, false, CompressionType.None)]
    [InlineData("_full.db.gz", BackupType.Full, false, CompressionType.Gzip)]
    [InlineData("_g2_full.db.zst", BackupType.Full, false, CompressionType.Zstd)]
    [InlineData("_incremental.wal.zst", BackupType.Incremental, true, CompressionType.Zstd)]
    [InlineData("_wal.wal", BackupType.Wal, true, CompressionType.None)]
    [InlineData("_incremental.db.gz", BackupType.Incremental, false, CompressionType.Gzip)]
    [InlineData("_wal.db", BackupType.Wal, true, CompressionType.None)]
    public void Every_form_of_the_grammar_is_read(string ending, BackupType type, bool isWal, CompressionType compression)
    {
        foreach (var id in (string[])[Id, "backup_20261122_020000"])
        {
            var generation = ending.StartsWith("_g2", StringComparison.Ordinal) ? 2 : 1;
            Assert.Equal(new BackupFileName(id, type, isWal, compression, IsEncrypted: false, generation, id + ending), BackupFileName.TryParse(id + ending));
            Assert.Equal(
                new BackupFileName(id, type, isWal, compression, IsEncrypted: true, generation, id + ending + ".age"),
                BackupFileName.TryParse(id + ending + ".age"));
        }
    }

    [Theory]
    [InlineData(Id + "\n")]
    [InlineData(Id + " ")]
    [InlineData("../" + Id)]
    [InlineData("/" + Id)]
    [InlineData("Backup_20261122_020000_123456")]
    [InlineData("backup_20261122_020000_12345")]
    [InlineData("backup_20261122_020000_1234567")]
    [InlineData("backup_20261122_020000_")]
    [InlineData("backup_20261122-020000")]
    [InlineData("backup_20261322_020000")]
    [InlineData("backup_20261100_020000")]
    [InlineData("backup_20261122_240000")]
    [InlineData("backup_20261122_026000")]
    [InlineData("backup_20260231_020000")]
    [InlineData("backup_20261131_020000_000000")]
    [InlineData("backup_00000101_000000")]
    [InlineData("backup_２０２６１１２２_020000")]
    [InlineData("backup_٢٠٢٦١١٢٢_020000")]
    [InlineData("backup_20261122_020000_123456\0")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_id_is_refused(string? text)
    {
        Assert.False(BackupFileName.IsId(text));
        Assert.Null(BackupFileName.TryParse(text + "_full.db"));
    }

    [Theory]
    [InlineData("_full.db\n")]
    [InlineData("_full.db.zst\n")]
    [InlineData("_full.db.zst.partial")]
    [InlineData("_full.db/../x")]
    [InlineData("_full.db\\..\\x")]
    [InlineData("_full.db:stream")]
    [InlineData("_full.DB")]
    [InlineData("_FULL.db")]
    [InlineData("_full.db.bz2")]
    [InlineData("_full.db.zst.gz")]
    [InlineData("_g_full.db")]
    [InlineData("_g1234567890_full.db")]
    [InlineData("_g２_full.db")]
    [InlineData("_full")]
    [InlineData(".json")]
    [InlineData("")]
    public void What_is_no_file_name_of_ours_is_refused(string ending) => Assert.Null(BackupFileName.TryParse(Id + ending));

    [Fact]
    public void A_name_with_anything_put_into_it_is_another_valid_name_or_none() =>
        Gen.Select(Gen.Int[0, Id.Length + 8], Gen.String[Gen.OneOf(Gen.Char["/\\.:*?\n\r\0 ٢２_g0"], Gen.Char), 1, 300]).Sample((at, put) =>
        {
            var hostile = (Id + "_full.db").Insert(at, put);
            if (BackupFileName.TryParse(hostile) is not { } parsed)
            {
                return;
            }

            Assert.True(BackupFileName.IsId(parsed.Id));
            Assert.Equal(hostile, parsed.Text);
            Assert.DoesNotContain(hostile, character => character is '/' or '\\' or ':' || char.IsControl(character) || !char.IsAscii(character));
            _ = BackupFileName.MomentOf(parsed.Id);
        });
}
