Describe 'Register-SHBackupSchedule' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'shows the exact definition for each scheduler and registers nothing' {
        foreach ($backend in 'Systemd', 'Cron', 'Launchd', 'TaskScheduler') {
            $text = Register-SHBackupSchedule "it's 100% `$ok" -Daily -At 02:00 -DatabasePath ./app.db -Backend $backend -AsText
            $text | Should -BeLike '*Invoke-SHBackupSchedule -Name *'
        }
        Get-SHBackupSchedule "it's 100% `$ok*" | Should -BeNullOrEmpty
    }

    It 'gives a database all schedules that it needs, and refuses one that is not there' {
        $texts = Register-SHBackupSchedule -Recommended ./app.db -Backend Systemd -AsText
        $texts | Should -HaveCount 3
        'shbackup-app-nightly.timer', 'shbackup-app-scrub.timer', 'shbackup-app-drill.timer' | ForEach-Object { "$texts" | Should -BeLike "*$_*" }
        { Register-SHBackupSchedule typo -Daily -DatabasePath ./ap.db -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
    }

    It 'takes intervals as ages and refuses what is too short' {
        Register-SHBackupSchedule often -Every 15m -DatabasePath ./app.db -Backend Systemd -AsText | Should -BeLike '*OnCalendar=`*-`*-`* `*:00,15,30,45:00 UTC*'
        { Register-SHBackupSchedule often -Every 30s -DatabasePath ./app.db -AsText -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
