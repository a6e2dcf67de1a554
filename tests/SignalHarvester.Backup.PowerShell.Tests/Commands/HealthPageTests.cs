using System.Globalization;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The health page, as a browser shows it.</summary>
public sealed class HealthPageTests
{
    // Returns what is wrong: text that sticks out of the page, and text that its background swallows.
    private const string Faults = """
        (() => {
          const faults = [];
          const root = document.documentElement;
          if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
          const light = color => {
            const parts = color.match(/[\d.]+/g).map(Number);
            const [r, g, b] = parts.slice(0, 3).map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return { light: 0.2126 * r + 0.7152 * g + 0.0722 * b, clear: parts.length > 3 && parts[3] === 0 };
          };
          const behind = element => {
            for (let at = element; at; at = at.parentElement) {
              const color = light(getComputedStyle(at).backgroundColor);
              if (!color.clear) return color.light;
            }
            return 1;
          };
          const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            const text = node.data.trim();
            if (!text || element.closest('thead, title, desc')) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            const box = range.getBoundingClientRect();
            if (!box.width) continue;
            const card = element.closest('section, .database, .tiles li, header').getBoundingClientRect();
            if (box.right > card.right + 1 || box.left < card.left - 1) faults.push(`"${text.slice(0, 40)}" sticks out of its card`);
            if (innerWidth > 768 && /^[\w.]{1,11}$/.test(text) && range.getClientRects().length > 1) faults.push(`"${text}" is broken`);
            const style = getComputedStyle(element);
            const [one, two] = [light(element.closest('svg') ? style.fill : style.color).light, behind(element)].sort((a, b) => b - a);
            if ((one + 0.05) / (two + 0.05) < 4.5) faults.push(`"${text.slice(0, 40)}" has a contrast of ${((one + 0.05) / (two + 0.05)).toFixed(1)}`);
          }
          return faults;
        })()
        """;

    [Fact]
    public async Task A_page_fits_its_window_and_can_be_read_in_light_and_dark()
    {
        using var workspace = new Workspace();
        var page = Lived(workspace);
        await using var browser = await Browser.StartAsync();
        await SeeAsync(browser, page, "one");
    }

    [Fact]
    public async Task Thirty_databases_are_no_ninety_boxes_and_a_link_opens_what_it_leads_to()
    {
        using var workspace = new Workspace();
        var page = Fleet(workspace);
        await using var browser = await Browser.StartAsync();
        await SeeAsync(browser, page, "fleet");
        Assert.InRange((int)(await browser.AskAsync("document.querySelectorAll('.finding').length"))!, 3, 8);
        Assert.Equal(0, (int)(await browser.AskAsync("[...document.querySelectorAll('code')].filter(code => code.checkVisibility()).length"))!);
        Assert.Equal(31, (int)(await browser.AskAsync("document.querySelectorAll('.database').length"))!);
        Assert.False((bool)(await browser.AskAsync("document.getElementById('d30').checkVisibility()"))!);
        await browser.AskAsync("document.querySelector('a[href=\"#d30\"]').click()");
        Assert.True((bool)(await browser.AskAsync("document.getElementById('d30').closest('details').open"))!);
    }

    [Fact]
    public void The_page_begins_with_the_numbers_and_says_what_failed_what_comes_and_where_the_copies_are()
    {
        using var workspace = new Workspace();
        var page = File.ReadAllText(Lived(workspace));
        Assert.Contains("<h1><bdi>Backups of &lt;the&gt; shop</bdi></h1>", page, StringComparison.Ordinal);
        Assert.Contains("<title>Warning: Backups of &lt;the&gt; shop</title>", page, StringComparison.Ordinal);
        string[] tiles =
        [
            "Databases protected</span><strong>1 of 1<", "Last 24 hours</span><strong>3 of 4<", "Verified</span><strong>5 of 5<",
            "Last proven restore</span><strong>", "Off-site</span><strong>1 of 1<",
        ];
        Assert.All(tiles, tile => Assert.Contains(tile, page, StringComparison.Ordinal));
        Assert.Contains("Failures of the last 30 days (1)", page, StringComparison.Ordinal);
        Assert.Contains("SourceNotSqlite", page, StringComparison.Ordinal);
        Assert.Contains(">S3<", page, StringComparison.Ordinal);
        Assert.Contains("Time of a restore", page, StringComparison.Ordinal);
        foreach (var section in new[] { "Newest backups", "Copies by place" })
        {
            Assert.Contains($">{section}</h2>", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_finding_of_several_databases_is_told_once_with_the_command_for_each()
    {
        using var workspace = new Workspace();
        var page = File.ReadAllText(Fleet(workspace));
        Assert.Equal(1, page.Split("<h3>Schedule: 31 databases</h3>").Length - 1);
        Assert.Equal(31, page.Split("Register-SHBackupSchedule -Recommended").Length - 1);
    }

    [Fact]
    public void Next_runs_are_on_the_page()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule page-next -Daily -At 02:00 -DatabasePath ./app.db -BackupDirectory ./backups | Invoke-SHBackupSchedule")
            .WithoutErrors();
        var page = workspace.Run("Get-SHBackupHealth -AsHtml").WithoutErrors().As<string>().Single();
        Assert.Contains(">Next runs</h2>", page, StringComparison.Ordinal);
        Assert.Contains("page-next", page, StringComparison.Ordinal);
        Assert.Contains("daily at 02:00 UTC", page, StringComparison.Ordinal);
        workspace.Run("Unregister-SHBackupSchedule page-next -Force").WithoutErrors();
    }

    [Theory]
    [InlineData("")]
    [InlineData("sidecar['db_path'] = null")]
    public void Each_command_of_the_report_can_be_run_or_says_what_to_put_in_its_place(string edit)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(9), sidecar =>
        {
            if (edit.Length > 0)
            {
                sidecar.Remove("db_path");
            }
        });
        foreach (var command in workspace.Run("(Get-SHBackupHealth).Checks | Where-Object Command | ForEach-Object Command").WithoutErrors().As<string>())
        {
            Assert.DoesNotContain("./app.db", command, StringComparison.Ordinal);
            Assert.DoesNotContain("/mnt/", command, StringComparison.Ordinal);
            Assert.Empty(workspace.Run(
                "$errors = $null; $null = [System.Management.Automation.Language.Parser]::ParseInput($args[0], [ref]$null, [ref]$errors); $errors", command)
                .Output);
        }
    }

    /// <summary>Makes a page of a database with a history: backups, a failure, a drill, a copy elsewhere.</summary>
    private static string Lived(Workspace workspace)
    {
        workspace.AddBackup(TimeSpan.FromDays(3));
        workspace.AddBackup(TimeSpan.FromDays(2));
        workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");
        workspace.EditSidecar(newest.Id, sidecar => sidecar["copies"] = JsonNode.Parse(
            "[{\"provider\":\"s3\",\"url\":\"s3://a-bucket-of-a-rather-long-name/machines/web1/backup.json\",\"container\":\"a-bucket-of-a-rather-long-name\",\"prefix\":\"machines/web1/\"}]"));
        workspace.Run("Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill").WithoutErrors();
        File.WriteAllText(workspace["text.db"], "This is a text and no database, however long it may be.");
        workspace.Run("New-SHBackup ./text.db");
        return Write(workspace);
    }

    /// <summary>Makes a page of thirty databases of which some are in trouble, and one whose name is long.</summary>
    private static string Fleet(Workspace workspace)
    {
        for (var index = 0; index < 30; index++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/srv/customers/customer-{index:00}/var/customer-{index:00}.db");
            workspace.AddBackup(TimeSpan.FromHours(index < 3 ? 90 : 3) + TimeSpan.FromMinutes(index), sidecar => sidecar["db_path"] = path);
        }

        workspace.AddBackup(
            TimeSpan.FromHours(1), sidecar => sidecar["db_path"] = $"/srv/{new string('x', 120)}/a name of many words and no meaning at all.sqlite3");
        return Write(workspace);
    }

    private static string Write(Workspace workspace) =>
        workspace.Run("Get-SHBackupHealth -AsHtml -Path ./health.html -Title 'Backups of <the> shop'").WithoutErrors().As<string>().Single();

    private static async Task SeeAsync(Browser browser, string page, string name)
    {
        foreach (var width in new[] { 360, 500, 700, 1280 })
        {
            foreach (var isDark in new[] { false, true })
            {
                await browser.ShowAsync(page, width, isDark);
                if (Environment.GetEnvironmentVariable("SHBACKUP_TEST_PICTURES") is { Length: > 0 } pictures)
                {
                    var file = string.Create(CultureInfo.InvariantCulture, $"{name}-{width}-{(isDark ? "dark" : "light")}.png");
                    await File.WriteAllBytesAsync(Path.Combine(pictures, file), await browser.PictureAsync(), TestContext.Current.CancellationToken);
                }

                var faults = await browser.AskAsync(Faults);
                Assert.True(faults!.AsArray().Count == 0, string.Create(CultureInfo.InvariantCulture, $"{width}, dark: {isDark}: {faults.ToJsonString()}"));
            }
        }
    }
}
