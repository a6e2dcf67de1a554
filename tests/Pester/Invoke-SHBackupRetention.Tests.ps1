Describe 'Invoke-SHBackupRetention' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $daily = foreach ($days in 1..3) { New-AgedBackup (New-TimeSpan -Days $days) @{ retention_policy = 'daily'; verified = $true } }
        $manual = New-AgedBackup (New-TimeSpan -Days 400)
    }
    AfterEach { Exit-Workspace }

    It 'keeps the newest and says why' {
        $decisions = Invoke-SHBackupRetention -KeepDaily 2
        ($decisions | Where-Object Action -EQ Remove).Backup.Id | Should -Be $daily[2]
        $decisions[0].Reasons | Should -Contain 'newest verified backup of the database'
        (Get-SHBackup).Id | Should -Be $daily[0], $daily[1], $manual
    }

    It 'removes nothing with -WhatIf' {
        Invoke-SHBackupRetention -KeepDaily 1 -WhatIf | Where-Object Action -EQ Remove | Should -HaveCount 2
        Get-SHBackup | Should -HaveCount 4
    }

    It 'leaves manual backups alone, unless they are included' {
        (Invoke-SHBackupRetention)[-1].Reasons | Should -Be 'manual'
        Invoke-SHBackupRetention -IncludeManual -RetentionDays 30 -KeepDaily 3 -KeepWeekly 0 -KeepMonthly 0 | Out-Null
        (Get-SHBackup).Id | Should -Be $daily
    }

    It 'refuses to keep nothing' {
        { Invoke-SHBackupRetention -KeepDaily 0 -KeepWeekly 0 -KeepMonthly 0 } | Should -Throw -ErrorId 'RetentionKeepsNothing,*'
        { Invoke-SHBackupRetention -KeepDaily -1 } | Should -Throw
        Get-SHBackup | Should -HaveCount 4
    }
}
