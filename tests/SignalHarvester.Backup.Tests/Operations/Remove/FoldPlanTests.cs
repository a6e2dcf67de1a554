using CsCheck;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Remove;

/// <summary>
/// Plans removals, with backups that are only a few numbers each. Every remaining backup keeps its pages, whichever are removed, and
/// whatever order their clocks gave them.
/// </summary>
public sealed class FoldPlanTests
{
    private static readonly Gen<Node> Nodes = Gen.Select(Gen.Int[-1, 11], Gen.Int[1, 8], Gen.Int[0, 255], Gen.Int[0, 255], Gen.Int[0, 20], Gen.Bool)
        .Select((parent, length, changed, extra, hour, isRemoved) => new Node(parent, length, changed, extra, hour, isRemoved));

    [Fact]
    public void Every_survivor_has_the_pages_that_it_had() => Nodes.Array[1, 12].Sample(nodes =>
    {
        var store = new Store(nodes);
        var before = store.Backups.Keys.ToDictionary(id => id, store.Image);
        HashSet<string> removed = [.. nodes.Index().Where(entry => entry.Item.IsRemoved).Select(entry => Id(entry.Index))];
        var folds = FoldPlan.ForRemoval([.. store.Backups.Values], removed);
        Assert.Equal(folds.Count, folds.Select(fold => fold.Survivor.Id).Distinct().Count());
        Assert.All(folds, fold => Assert.DoesNotContain(fold.Survivor.Id, removed));
        Assert.All(folds, fold => Assert.Subset(removed, fold.Freed.Select(backup => backup.Id).ToHashSet()));

        // As in FoldBackup: the pages of all folds are collected first.
        List<(Fold Fold, HashSet<int>? Pages)> taken = [.. folds.Select(fold => (fold, store.Collect(fold)))];
        foreach ((var fold, var pages) in taken)
        {
            store.Rewrite(fold, pages);

            // If it is killed here, everything is unchanged.
            Assert.All(before, entry => Assert.Equal(entry.Value, store.Image(entry.Key)));
        }

        Assert.All(removed, store.Remove);

        Assert.All(store.Backups.Keys, id => Assert.Equal(before[id], store.Image(id)));
        Assert.Empty(FoldPlan.ForRemoval([.. store.Backups.Values], removed));
    }, iter: Iterations.Of(10_000));

    [Fact]
    public void What_builds_on_a_backup_is_found_through_any_number_of_links() => Nodes.Array[1, 12].Sample(nodes =>
    {
        var store = new Store(nodes);
        string[] chosen = [.. nodes.Index().Where(entry => entry.Item.IsRemoved).Select(entry => Id(entry.Index))];

        var found = BackupChain.Dependants([.. store.Backups.Values], chosen).Select(backup => backup.Id);

        var expected = store.Backups.Keys.Except(chosen).Where(id => store.Links(id).Skip(1).Any(link => chosen.Contains(link.Id)));
        Assert.Equal(expected.Order(), found.Order());
    }, iter: Iterations.Of(2_000));

    private static string Id(int index) => $"backup_20261122_0200{index:00}_000000";

    /// <param name="Parent">The index of the parent, if that is an earlier one; otherwise the backup is full.</param>
    /// <param name="Length">Pages of the image.</param>
    /// <param name="Changed">The pages that differ from its parent's, one bit each.</param>
    /// <param name="Extra">The pages that it stores although they are the same.</param>
    /// <param name="Hour">Its moment.</param>
    /// <param name="IsRemoved">Whether it will be removed.</param>
    private sealed record Node(int Parent, int Length, int Changed, int Extra, int Hour, bool IsRemoved);

    /// <summary>Backups in which each page is the number of the backup that changed it last.</summary>
    private sealed class Store
    {
        private readonly Dictionary<string, Dictionary<int, int>> held = [];

        public Store(Node[] nodes)
        {
            foreach ((var index, var node) in nodes.Index())
            {
                var parent = node.Parent >= 0 && node.Parent < index ? Id(node.Parent) : null;
                var before = parent is null ? [] : Image(parent);
                int[] image =
                [
                    .. Enumerable.Range(0, node.Length).Select(page => page >= before.Length || (node.Changed >> page & 1) == 1 ? index + 1 : before[page]),
                ];
                held[Id(index)] = Enumerable.Range(0, node.Length)
                    .Where(page => parent is null || page >= before.Length || image[page] != before[page] || (node.Extra >> page & 1) == 1)
                    .ToDictionary(page => page, page => image[page]);
                Backups[Id(index)] = Describe(Id(index), parent, node.Length, node.Hour);
            }
        }

        public Dictionary<string, BackupMetadata> Backups { get; } = [];

        public int[] Image(string id)
        {
            var image = new int[Backups[id].PageCount!.Value];
            foreach (var link in Links(id).Reverse())
            {
                foreach ((var page, var content) in held[link.Id].Where(entry => entry.Key < image.Length))
                {
                    image[page] = content;
                }
            }

            return image;
        }

        public IEnumerable<BackupMetadata> Links(string id)
        {
            for (var link = id; link is not null; link = Backups[link].ParentId)
            {
                yield return Backups[link];
            }
        }

        public HashSet<int>? Collect(Fold fold) => fold.NewParentId is null
            ? null
            : [.. fold.Sources.SelectMany(source => held[source.Id].Keys),
                .. Enumerable.Range(0, (int)fold.Survivor.PageCount!.Value).Skip((int)Backups[fold.NewParentId].PageCount!.Value)];

        public void Rewrite(Fold fold, HashSet<int>? pages)
        {
            var id = fold.Survivor.Id;
            var image = Image(id);
            held[id] = image.Index().Where(entry => pages is null || pages.Contains(entry.Index)).ToDictionary(entry => entry.Index, entry => entry.Item);
            Backups[id] = Describe(id, fold.NewParentId, image.Length, Backups[id].Timestamp.Hour);
        }

        public void Remove(string id)
        {
            held.Remove(id);
            Backups.Remove(id);
        }

        private static BackupMetadata Describe(string id, string? parent, int pageCount, int hour) => new()
        {
            Id = id,
            BackupPath = "/" + BackupFileName.For(id, parent is null ? BackupType.Full : BackupType.Incremental, CompressionType.Zstd).Text,
            BackupDirectory = "/",
            ParentId = parent,
            PageCount = pageCount,
            PageSize = 4096,
            Timestamp = new DateTimeOffset(2026, 11, 22, hour, 0, 0, TimeSpan.Zero),
        };
    }
}
