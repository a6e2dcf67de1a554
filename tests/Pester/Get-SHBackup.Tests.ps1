Describe 'Get-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $old = New-AgedBackup (New-TimeSpan -Days 40) @{ retention_policy = 'weekly' }
        $middle = New-AgedBackup (New-TimeSpan -Days 20) @{ db_path = '/srv/other.db' }
        $young = New-AgedBackup (New-TimeSpan -Hours 13) @{ verified = $true }
    }
    AfterEach { Exit-Workspace }

    It 'lists the newest first' {
        (Get-SHBackup).Id | Should -Be @($young, $middle, $old)
    }

    It 'filters' {
        (Get-SHBackup -Newest 1).Id | Should -Be @($young, $middle)
        (Get-SHBackup -RetentionPolicy Weekly).Id | Should -Be $old
        (Get-SHBackup -Database other.db).Id | Should -Be $middle
        (Get-SHBackup -Verified).Id | Should -Be $young
        (Get-SHBackup -After (Get-Date).AddDays(-30)).Id | Should -Be @($young, $middle)
        (Get-SHBackup -Before (Get-Date).AddDays(-30)).Id | Should -Be $old
        (Get-SHBackup "*$($young.Substring(10))").Id | Should -Be $young
    }

    It 'selects by age with <literal>' -ForEach @(
        @{ Literal = '30d'; Count = 1 }
        @{ Literal = "'30d'"; Count = 1 }
        @{ Literal = '12h'; Count = 3 }
        @{ Literal = '2w'; Count = 2 }
        @{ Literal = '6mo'; Count = 0 }
    ) {
        Invoke-Expression "Get-SHBackup | Where-Object Age -gt $Literal" | Should -HaveCount $Count
        Invoke-Expression "Get-SHBackup -OlderThan $Literal" | Should -HaveCount $Count
    }

    It 'never matches <literal>' -ForEach @(
        @{ Literal = '30' }, @{ Literal = '30s' }, @{ Literal = '4y' }, @{ Literal = '30l' }
        @{ Literal = '1kb' }, @{ Literal = '30.5' }, @{ Literal = "''" }, @{ Literal = 'nonsense' }
    ) {
        $Error.Clear()
        Invoke-Expression "Get-SHBackup | Where-Object Age -gt $Literal" 2>$null | Should -BeNullOrEmpty
        $Error | Should -Not -BeNullOrEmpty
    }

    It 'lists the others when a sidecar is broken' {
        Set-Content "./backups/$middle.json" '{'
        $listed = Get-SHBackup -ErrorAction SilentlyContinue -ErrorVariable failed
        $listed.Id | Should -Be @($young, $old)
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'SidecarInvalid,*'
    }

    It 'completes ids with date, type and size' {
        $offered = (TabExpansion2 'Get-SHBackup -Id ').CompletionMatches
        $offered.CompletionText | Should -Be @($young, $middle, $old)
        $offered[0].ToolTip | Should -Match '^\d{4}-\d\d-\d\d \d\d:\d\d UTC, Full, [\d.]+ K?i?B'
    }

    It 'refuses <filter> of a variable that was never set' -ForEach @(
        @{ Filter = 'Before' }, @{ Filter = 'After' }, @{ Filter = 'OlderThan' }, @{ Filter = 'Newest' }
        @{ Filter = 'Type' }, @{ Filter = 'RetentionPolicy' }, @{ Filter = 'Database' }, @{ Filter = 'Id' }
    ) {
        $arguments = @{ $Filter = $null }
        { Get-SHBackup @arguments } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'sorts, groups and measures' {
        $large = (New-SHBackup ./app.db -NoVerify -Compression None).Id
        (Get-SHBackup | Sort-Object Size -Descending)[0].Id | Should -Be $large
        (Get-SHBackup | Sort-Object Age).Id | Should -Be @($large, $young, $middle, $old)
        (Get-SHBackup | Sort-Object Age -Bottom 1).Id | Should -Be $old
        Get-SHBackup | Group-Object Compression -NoElement | ForEach-Object { "$($_.Name) $($_.Count)" } | Should -Be 'None 1', 'Zstd 3'
        $stored = Get-ChildItem ./backups -Filter *_full.db* | Measure-Object Length -Sum
        (Get-SHBackup | Measure-Object Size -Sum).Sum | Should -Be $stored.Sum
    }

    It 'survives ConvertTo-Json <json>, with the names of enums' -ForEach @(@{ Json = @{} }, @{ Json = @{ EnumsAsStrings = $true } }) {
        $backup = Get-SHBackup $old | Test-SHBackup
        $read = $backup | ConvertTo-Json @json -Depth 4 -WarningVariable cut | ConvertFrom-Json
        $cut | Should -BeNullOrEmpty
        $read.Id | Should -Be $old
        $read.Type | Should -Be 'Full'
        $read.Compression | Should -Be 'Zstd'
        $read.RetentionPolicy | Should -Be 'Weekly'
        $read.Level | Should -Be 'Full'
        $read.Size | Should -Be $backup.Size
        $read.Age.TotalDays | Should -BeGreaterThan 39
        $read.RowCounts.signals | Should -Be $backup.RowCounts.signals
        $read.Verification.Check | Should -Be $backup.Verification.Check
        $read.Timestamp.ToUniversalTime() | Should -Be $backup.Timestamp.UtcDateTime
    }

    It 'survives Export-Clixml' {
        $backup = Get-SHBackup $old | Test-SHBackup
        $backup | Export-Clixml ./list.xml
        $read = Import-Clixml ./list.xml
        $read | Should -BeOfType SignalHarvester.Backup.BackupMetadata
        ($read | Where-Object Age -gt 30d).Id | Should -Be $old
        $was, $is = foreach ($item in $backup, $read) { $item | Select-Object * -ExcludeProperty Age | ConvertTo-Json -Depth 5 }
        $is | Should -Be $was
        ($read | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'survives Export-Csv' {
        Get-SHBackup | Export-Csv ./list.csv
        $list = Import-Csv ./list.csv
        Push-Location ..
        try { $list | Test-SHBackup -Level Quick -Quiet | Should -Be @($true, $true, $true) }
        finally { Pop-Location }
    }

    It 'exports no name of a type to a file' {
        $policy = @{ KeepDaily = 1; IncludeManual = $true; WhatIf = $true }
        $all = { Get-SHBackup $old | Test-SHBackup }, { Get-SHBackup }, { Get-SHBackup $old | Restore-SHBackup -Destination ./csv.db -Force }, { Get-SHBackupHealth },
            { Get-SHBackupHistory }, { Invoke-SHBackupRetention @policy }, { Invoke-SHRestoreDrill $old -Assertion @{ Query = 'SELECT 1'; Expect = '1' } },
            { Invoke-SHBackupScrub }, { New-SHBackup ./app.db -Metadata @{ list = 1, 2; map = @{ a = 'x' } } }, { Compare-SHBackup $old -IncludeEqual }
        foreach ($command in $all) {
            $text = & $command | ConvertTo-Csv
            $text | Should -Not -BeNullOrEmpty -Because "$command"
            $text | Should -Not -Match 'System\.|\[\]|SignalHarvester' -Because "$command"
        }
        $notes = (Get-SHBackup -Newest 1 -Database app.db | ConvertTo-Csv | ConvertFrom-Csv).Metadata
        $notes | Should -Match 'list=\(1; 2\)'
        $notes | Should -Match 'map=\(a=x\)'
        (Get-SHBackup $old | Test-SHBackup | ConvertTo-Csv | ConvertFrom-Csv).Verification | Should -Match '^StoredSize: passed \(.*\); StoredChecksum: passed'
    }

    It 'keeps enums comparable, sorted and grouped by value' {
        (Get-SHBackup $old).Type -eq 'Full' | Should -BeTrue
        (Get-SHBackup $old).Type | Should -BeOfType SignalHarvester.Backup.BackupType
        Get-SHBackup | Where-Object Type -eq Full | Should -HaveCount 3
        [SignalHarvester.Backup.VerificationLevel[]]('Full', 'None', 'Quick') | Sort-Object | Should -Be 'None', 'Quick', 'Full'
        (Get-SHBackup | Group-Object RetentionPolicy).Name | Should -Contain 'Weekly'
    }

    It 'has lists that behave as arrays' {
        $checks = (Get-SHBackup $old | Test-SHBackup).Verification
        $checks.Length | Should -Be $checks.Count
        $checks[-1].Check | Should -Be 'RowCounts'
        $checks[0..1].Check | Should -Be 'StoredSize', 'StoredChecksum'
        foreach ($check in $checks) { $check.Passed | Should -BeTrue }
        'StoredSize' -in $checks.Check | Should -BeTrue
    }

    It 'survives a job' {
        $module = (Get-Module SignalHarvester.Backup).ModuleBase
        $directory = Convert-Path ./backups
        $listed = Start-Job { Import-Module $using:module; Get-SHBackup -BackupDirectory $using:directory } | Receive-Job -Wait -AutoRemoveJob
        ($listed | Where-Object Age -gt 30d).Id | Should -Be $old
        ($listed[0] | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'shows a table of <width> columns' -ForEach @(@{ Width = 80 }, @{ Width = 100 }, @{ Width = 120 }) {
        foreach ($table in (Get-SHBackup | Out-String -Width $Width), (Get-SHBackup | Format-Table | Out-String -Width $Width)) {
            $lines = $table -split '\r?\n' -ne ''
            $lines | Should -HaveCount 5
            $lines[0] | Should -Match '^Id +Type +Age +Size +Verified +Copies +Database *$'
            $lines[4] | Should -Match ([regex]::Escape($old) + ' +Full +40d 0h +[\d.]+ KiB +No +0 +app\.db')
        }
    }

    It 'draws a tree of <width> columns' -ForEach @(@{ Width = 80 }, @{ Width = 100 }, @{ Width = 120 }) {
        Edit-Database ./app.db
        $parent = Get-SHBackup -Newest 1 -Database app.db
        $child = New-SHBackup ./app.db -Type Incremental -Parent $parent
        $lines = (Get-SHBackup -Tree | Out-String -Width $Width) -split '\r?\n' -ne ''
        $lines | Should -HaveCount 6
        $lines[0] | Should -Match '^Backup +Type +Age +Size +Verified +Database *$'
        $row = [array]::FindIndex($lines, [Predicate[string]] { $args[0].StartsWith($parent.Id) })
        $lines[$row + 1] | Should -Match "^└─ $($child.Id) +Incr .* Full +app\.db"
    }

    It 'shows everything with Format-List, and what is asked for with Format-Table' {
        $size = (Get-SHBackup $old).Size
        $list = Get-SHBackup $old | Format-List | Out-String
        $list | Should -Match 'StoredChecksum +: [0-9a-f]{64}'
        $list | Should -Match "(?m)^Size +: [\d.]+ KiB \($($size.ToString('N0', [cultureinfo]::InvariantCulture)) bytes\)"
        Get-SHBackup $old | Format-Table Id, Age, Size | Out-String | Should -Match "$old +40d 0h +$size"
    }
}
