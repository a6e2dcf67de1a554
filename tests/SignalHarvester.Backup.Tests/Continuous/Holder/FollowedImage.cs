using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>Puts the commits that a holder reads on top of the image that it began with.</summary>
internal sealed class FollowedImage(int pageSize, byte[] image) : ICommitSink
{
    private byte[] image = image;

    public List<string> Gaps { get; } = [];

    public int Commits { get; private set; }

    public byte[] Image => image;

    /// <summary>Has an application make a database, and returns it as one file.</summary>
    public static async Task<byte[]> MakeAsync(ApplicationOptions options)
    {
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(5);
        await application.EndAsync();
        Assert.False(File.Exists(options.DatabasePath + "-wal"));
        return await File.ReadAllBytesAsync(options.DatabasePath, TestContext.Current.CancellationToken);
    }

    public CommitCollector Begin() => new(long.MaxValue);

    public void Accept(CommitCollector commits)
    {
        foreach (var commit in commits.Commits)
        {
            Commits++;
            Array.Resize(ref image, (int)commit.PageCount * pageSize);
            foreach (var page in commit.Pages.Where(page => page.Number <= commit.PageCount))
            {
                page.Content.CopyTo(image.AsMemory((int)(page.Number - 1) * pageSize));
            }
        }
    }

    public void Lost(string reason) => Gaps.Add(reason);
}
